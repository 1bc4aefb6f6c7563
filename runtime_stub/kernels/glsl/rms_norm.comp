#version 450
// y = x / sqrt(mean(x^2) + eps) * w, a workgroup a row. With ADD: sum = a + b, and y is made of the sum.
// Groups: tokens, heads of a token (1 where a row is a whole token).
// sum may be the view a or b, y that of an input.
#define USE_GROUP_SUM
#include "common.glsl"

#if defined(ADD)
layout(constant_id = 1) const uint A_HALF = 0u;
layout(constant_id = 2) const uint B_HALF = 0u;
layout(constant_id = 3) const uint W_HALF = 0u;
layout(constant_id = 4) const uint SUM_HALF = 0u;
layout(constant_id = 5) const uint Y_HALF = 1u;
layout(constant_id = 6) const uint HAS_WEIGHT = 1u;

layout(set = 0, binding = 0) uniform Params {
  uint width;
  uint a_at;
  uint a_token;
  uint a_head;
  uint b_at;
  uint b_token;
  uint b_head;
  uint sum_at;
  uint sum_token;
  uint sum_head;
  uint y_at;
  uint y_token;
  uint y_head;
  float eps;
};
layout(set = 0, binding = 1) readonly buffer A { uint a[]; };
layout(set = 0, binding = 2) readonly buffer B { uint b[]; };
layout(set = 0, binding = 3) readonly buffer W { uint w[]; };
layout(set = 0, binding = 4) buffer Sum { uint sum[]; };
layout(set = 0, binding = 5) buffer Y { uint y[]; };
#else
layout(constant_id = 1) const uint X_HALF = 0u;
layout(constant_id = 2) const uint W_HALF = 0u;
layout(constant_id = 3) const uint Y_HALF = 1u;
layout(constant_id = 4) const uint HAS_WEIGHT = 1u;

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
layout(set = 0, binding = 3) buffer Y { uint y[]; };
#endif

void main() {
  const uint token = gl_WorkGroupID.x, head = gl_WorkGroupID.y;
  const uint begin = 2u * gl_LocalInvocationID.x, step_ = 2u * gl_WorkGroupSize.x;
  const uint even = width & ~1u;
  const bool tail = begin == (even % step_) && even < width;  // float32 rows may have odd widths
#if defined(ADD)
  const uint from_a = a_at + token * a_token + head * a_head;
  const uint from_b = b_at + token * b_token + head * b_head;
  const uint from = sum_at + token * sum_token + head * sum_head;
#else
  const uint from = x_at + token * x_token + head * x_head;
#endif
  const uint to = y_at + token * y_token + head * y_head;
  float squares = 0.0;
  for (uint i = begin; i < even; i += step_) {
#if defined(ADD)
    const vec2 v = LOAD2(a, A_HALF, from_a + i) + LOAD2(b, B_HALF, from_b + i);
    STORE2(sum, SUM_HALF, from + i, v);
#else
    const vec2 v = LOAD2(x, X_HALF, from + i);
#endif
    squares += dot(v, v);
  }
  if (tail) {
#if defined(ADD)
    const float v = LOAD(a, A_HALF, from_a + even) + LOAD(b, B_HALF, from_b + even);
    STORE1(sum, from + even, v);
#else
    const float v = LOAD(x, X_HALF, from + even);
#endif
    squares += v * v;
  }
  const float factor = 1.0 / sqrt(group_sum(squares) / float(width) + eps);
  for (uint i = begin; i < even; i += step_) {
#if defined(ADD)
    vec2 v = LOAD2(sum, SUM_HALF, from + i) * factor;  // what this thread has stored
#else
    vec2 v = LOAD2(x, X_HALF, from + i) * factor;
#endif
    if (HAS_WEIGHT != 0u) v *= LOAD2(w, W_HALF, i);
    STORE2(y, Y_HALF, to + i, v);
  }
  if (tail) {
#if defined(ADD)
    float v = LOAD(sum, SUM_HALF, from + even) * factor;
#else
    float v = LOAD(x, X_HALF, from + even) * factor;
#endif
    if (HAS_WEIGHT != 0u) v *= LOAD(w, W_HALF, even);
    STORE1(y, to + even, v);
  }
}
