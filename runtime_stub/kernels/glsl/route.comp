#version 450
// Weights of experts: softmax of the logits, 0 but for the top_k greatest (of equal ones the first), which may
// be divided by their sum. A workgroup a token; at most 1024 experts. Groups: tokens. y may be the view x.
#define USE_GROUP_SUM
#include "common.glsl"

layout(constant_id = 1) const uint X_HALF = 0u;
layout(constant_id = 2) const uint Y_HALF = 0u;
layout(constant_id = 3) const uint RENORMALISE = 0u;

layout(set = 0, binding = 0) uniform Params {
  uint experts;
  uint top_k;
  uint x_at;
  uint x_token;
  uint y_at;
  uint y_token;
};
layout(set = 0, binding = 1) readonly buffer X { uint x[]; };
layout(set = 0, binding = 2) buffer Y { uint y[]; };

shared float logits[1024];
shared float chosen[1024];

void main() {
  const uint thread = gl_LocalInvocationID.x, threads = gl_WorkGroupSize.x;
  const uint from = x_at + gl_WorkGroupID.x * x_token, to = y_at + gl_WorkGroupID.x * y_token;
  float most = LOWEST;
  for (uint i = thread; i < experts; i += threads) {
    const float v = LOAD(x, X_HALF, from + i);
    logits[i] = isnan(v) ? uintBitsToFloat(0xff800000u) : v;  // counts as least, or there is no order
    most = max(most, logits[i]);
  }
  most = group_max(most);
  barrier();
  vec2 sums = vec2(0.0);  // of all, of those that are kept
  for (uint i = thread; i < experts; i += threads) {
    const float mine = logits[i], weight = exp(mine - most);
    uint before = 0u;
    for (uint n = 0u; n < experts; ++n) {
      if (logits[n] > mine || (logits[n] == mine && n < i)) ++before;
    }
    chosen[i] = before < top_k ? weight : 0.0;
    sums += vec2(weight, chosen[i]);
  }
  sums = group_sum(vec4(sums, 0.0, 0.0)).xy;
  barrier();
  const float factor = 1.0 / (RENORMALISE != 0u ? sums.y : sums.x);
  for (uint i = 2u * thread; i < experts; i += 2u * threads) {
    const vec2 v = vec2(chosen[i], i + 1u < experts ? chosen[i + 1u] : 0.0) * factor;
    if (Y_HALF != 0u) {
      STORE2(y, Y_HALF, to + i, v);
    } else {
      STORE1(y, to + i, v.x);
      if (i + 1u < experts) STORE1(y, to + i + 1u, v.y);
    }
  }
}
