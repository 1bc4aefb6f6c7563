#version 450
// Softmax along one axis, which has `size` numbers; the other three are walked by the groups.
// Groups: size of axis 2 (COLUMNS: half of it), of axis 1, of axis 0. COLUMNS: y is fp16 and axis 2 its innermost
// one, so that a workgroup makes two of its places. y may be the view x. step: stride along the axis.
#define USE_GROUP_SUM
#include "common.glsl"

layout(constant_id = 1) const uint X_HALF = 0u;
layout(constant_id = 2) const uint Y_HALF = 0u;
layout(constant_id = 3) const uint COLUMNS = 0u;

layout(set = 0, binding = 0) uniform Params {
  uint size;
  uint x_at;
  uint x_0;
  uint x_1;
  uint x_2;
  uint x_step;
  uint y_at;
  uint y_0;
  uint y_1;
  uint y_2;
  uint y_step;
};
layout(set = 0, binding = 1) readonly buffer X { uint x[]; };
layout(set = 0, binding = 2) buffer Y { uint y[]; };

// Numbers i of two places, or i and i + 1 of one; what is behind the last is LOWEST.
vec2 both(uint from, uint i) {
  const uint at = from + i * x_step;
  if (COLUMNS != 0u) return vec2(LOAD(x, X_HALF, at), LOAD(x, X_HALF, at + x_2));
  return vec2(LOAD(x, X_HALF, at), i + 1u < size ? LOAD(x, X_HALF, at + x_step) : LOWEST);
}

void main() {
  const uint each = COLUMNS != 0u ? 1u : 2u, place = gl_WorkGroupID.x * (3u - each);
  const uint from = x_at + gl_WorkGroupID.z * x_0 + gl_WorkGroupID.y * x_1 + place * x_2;
  const uint to = y_at + gl_WorkGroupID.z * y_0 + gl_WorkGroupID.y * y_1 + place * y_2;
  const uint begin = each * gl_LocalInvocationID.x, step_ = each * gl_WorkGroupSize.x;
  vec2 most = vec2(LOWEST);
  for (uint i = begin; i < size; i += step_) most = max(most, both(from, i));
  if (COLUMNS == 0u) most = vec2(max(most.x, most.y));
  most.x = group_max(most.x);
  most.y = COLUMNS != 0u ? group_max(most.y) : most.x;
  vec2 sum = vec2(0.0);
  for (uint i = begin; i < size; i += step_) sum += exp(both(from, i) - most);
  if (COLUMNS == 0u) sum = vec2(sum.x + sum.y, 0.0);
  sum = group_sum(vec4(sum, 0.0, 0.0)).xy;
  if (COLUMNS == 0u) sum.y = sum.x;
  for (uint i = begin; i < size; i += step_) {
    const vec2 v = exp(both(from, i) - most) / sum;
    const uint at = to + i * y_step;
    if (Y_HALF != 0u) {
      STORE2(y, Y_HALF, at, v);
      continue;
    }
    STORE1(y, at, v.x);
    if (COLUMNS != 0u) {
      STORE1(y, at + y_2, v.y);
    } else if (i + 1u < size) {
      STORE1(y, at + y_step, v.y);
    }
  }
}
