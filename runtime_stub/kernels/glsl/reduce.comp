#version 450
// Mean, sum or maximum over some axes of four. A workgroup makes one number of y, two where y is fp16.
// kept_n, gone_n: the size of axis n where it is kept, gone (1 otherwise); count: the product of what is gone.
// Groups: kept_3 (ceil of half of it where y is fp16), kept_2, kept_0 * kept_1.
#define USE_GROUP_SUM
#include "common.glsl"

layout(constant_id = 1) const uint X_HALF = 0u;
layout(constant_id = 2) const uint Y_HALF = 0u;
layout(constant_id = 3) const uint FUNCTION = 0u;  // 0 mean, 1 sum, 2 maximum

layout(set = 0, binding = 0) uniform Params {
  uint count;
  uint kept_1;
  uint gone_1;
  uint gone_2;
  uint gone_3;
  uint x_at;
  uint x_0;
  uint x_1;
  uint x_2;
  uint x_3;
  uint y_at;
  uint y_0;
  uint y_1;
  uint y_2;
  uint y_3;
};
layout(set = 0, binding = 1) readonly buffer X { uint x[]; };
layout(set = 0, binding = 2) buffer Y { uint y[]; };

void main() {
  const uint at_0 = gl_WorkGroupID.z / kept_1, at_1 = gl_WorkGroupID.z % kept_1, at_2 = gl_WorkGroupID.y;
  const uint at_3 = gl_WorkGroupID.x * (Y_HALF != 0u ? 2u : 1u);
  const uint from = x_at + at_0 * x_0 + at_1 * x_1 + at_2 * x_2 + at_3 * x_3;
  vec2 sum = vec2(0.0), most = vec2(LOWEST);
  for (uint i = gl_LocalInvocationID.x; i < count; i += gl_WorkGroupSize.x) {
    uint rest = i;
    const uint i_3 = rest % gone_3;
    rest /= gone_3;
    const uint i_2 = rest % gone_2;
    rest /= gone_2;
    const uint at = from + rest / gone_1 * x_0 + rest % gone_1 * x_1 + i_2 * x_2 + i_3 * x_3;
    vec2 v = vec2(LOAD(x, X_HALF, at), 0.0);
    if (Y_HALF != 0u) v.y = LOAD(x, X_HALF, at + x_3);
    sum += v;
    most = max(most, v);
  }
  if (FUNCTION == 2u) {
    sum.x = group_max(most.x);
    if (Y_HALF != 0u) sum.y = group_max(most.y);
  } else {
    sum = group_sum(vec4(sum, 0.0, 0.0)).xy;
    if (FUNCTION == 0u) sum /= float(count);
  }
  if (gl_LocalInvocationID.x != 0u) return;
  const uint to = y_at + at_0 * y_0 + at_1 * y_1 + at_2 * y_2 + at_3 * y_3;
  if (Y_HALF != 0u) {
    STORE2(y, Y_HALF, to, sum);
  } else {
    STORE1(y, to, sum.x);
  }
}
