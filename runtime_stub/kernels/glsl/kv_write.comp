#version 450
// New rows of keys or values into a cache of 16 bits, (context, heads, width), behind its `past` tokens.
// Groups: ceil(heads * width / 2 / local), tokens.
#include "common.glsl"
#include "kv_halves.glsl"

layout(constant_id = 1) const uint X_HALF = 1u;

layout(set = 0, binding = 0) uniform Params {
  uint heads;
  uint width;
  uint past;
  uint x_at;
  uint x_token;
  uint x_head;
};
layout(set = 0, binding = 1) readonly buffer X { uint x[]; };
layout(set = 0, binding = 2) buffer Cache { uint cache[]; };

void main() {
  const uint words = width / 2u, token = gl_WorkGroupID.y;
  const uint head = gl_GlobalInvocationID.x / words, word = gl_GlobalInvocationID.x % words;
  if (head >= heads) return;
  const uint from = x_at + token * x_token + head * x_head + 2u * word;
  cache[(past + token) * heads * words + gl_GlobalInvocationID.x] = ROW_WORD(x, X_HALF, from);
}
