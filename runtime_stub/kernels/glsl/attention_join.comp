#version 450
// The parts of attention_split and kv_attention_split put together.
// Groups: ceil(query heads * width / 2 / local), tokens. width is that of values.
#include "common.glsl"

layout(constant_id = 1) const uint Y_HALF = 1u;

layout(set = 0, binding = 0) uniform Params {
  uint q_heads;
  uint width;
  uint parts;
  uint scratch_at;
  uint y_at;
  uint y_token;
  uint y_head;
};
layout(set = 0, binding = 1) readonly buffer Scratch { uint scratch[]; };
layout(set = 0, binding = 2) buffer Y { uint y[]; };

void main() {
  const uint words = width / 2u, token = gl_WorkGroupID.y;
  const uint head = gl_GlobalInvocationID.x / words, channel = 2u * (gl_GlobalInvocationID.x % words);
  if (head >= q_heads) return;
  const uint each = 2u + width, from = scratch_at + (token * q_heads + head) * parts * each;
  float most = LOWEST;
  for (uint i = 0u; i < parts; ++i) most = max(most, uintBitsToFloat(scratch[from + i * each]));
  float sum = 0.0;
  vec2 total = vec2(0.0);
  for (uint i = 0u; i < parts; ++i) {
    const uint at = from + i * each;
    const float kept = exp(uintBitsToFloat(scratch[at]) - most);
    sum += kept * uintBitsToFloat(scratch[at + 1u]);
    total += kept * LOAD2(scratch, 0u, at + 2u + channel);
  }
  STORE2(y, Y_HALF, y_at + token * y_token + head * y_head + channel, total / sum);
}
