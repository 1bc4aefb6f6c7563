#version 450
// y = (x - mean) / sqrt(variance + eps) * w + b, a workgroup a row.
// Groups: tokens, heads of a token (1 where a row is a whole token). y may be the view x.
#define USE_GROUP_SUM
#include "common.glsl"

layout(constant_id = 1) const uint X_HALF = 0u;
layout(constant_id = 2) const uint W_HALF = 0u;
layout(constant_id = 3) const uint B_HALF = 0u;
layout(constant_id = 4) const uint Y_HALF = 1u;
layout(constant_id = 5) const uint HAS_WEIGHT = 1u;
layout(constant_id = 6) const uint HAS_BIAS = 1u;

layout(set = 0, binding = 0) uniform Params {
  uint width;
  uint x_at;
  uint x_token;
  uint x_head;
  uint y_at;
  uint y_token;
  uint y_head;
  float eps;
};
layout(set = 0, binding = 1) readonly buffer X { uint x[]; };
layout(set = 0, binding = 2) readonly buffer W { uint w[]; };
layout(set = 0, binding = 3) readonly buffer B { uint b[]; };
layout(set = 0, binding = 4) buffer Y { uint y[]; };

void main() {
  const uint token = gl_WorkGroupID.x, head = gl_WorkGroupID.y;
  const uint begin = 2u * gl_LocalInvocationID.x, step_ = 2u * gl_WorkGroupSize.x;
  const uint even = width & ~1u;
  const bool tail = begin == (even % step_) && even < width;  // float32 rows may have odd widths
  const uint from = x_at + token * x_token + head * x_head;
  const uint to = y_at + token * y_token + head * y_head;
  float sum = 0.0;
  for (uint i = begin; i < even; i += step_) {
    const vec2 v = LOAD2(x, X_HALF, from + i);
    sum += v.x + v.y;
  }
  if (tail) sum += LOAD(x, X_HALF, from + even);
  const float mean = group_sum(sum) / float(width);
  float squares = 0.0;  // of what is left: the difference of two great sums would be inexact
  for (uint i = begin; i < even; i += step_) {
    const vec2 v = LOAD2(x, X_HALF, from + i) - mean;
    squares += dot(v, v);
  }
  if (tail) {
    const float v = LOAD(x, X_HALF, from + even) - mean;
    squares += v * v;
  }
  const float factor = 1.0 / sqrt(group_sum(squares) / float(width) + eps);
  for (uint i = begin; i < even; i += step_) {
    vec2 v = (LOAD2(x, X_HALF, from + i) - mean) * factor;
    if (HAS_WEIGHT != 0u) v *= LOAD2(w, W_HALF, i);
    if (HAS_BIAS != 0u) v += LOAD2(b, B_HALF, i);
    STORE2(y, Y_HALF, to + i, v);
  }
  if (tail) {
    float v = (LOAD(x, X_HALF, from + even) - mean) * factor;
    if (HAS_WEIGHT != 0u) v *= LOAD(w, W_HALF, even);
    if (HAS_BIAS != 0u) v += LOAD(b, B_HALF, even);
    STORE1(y, to + even, v);
  }
}
