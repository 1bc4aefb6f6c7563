#version 450
// A found id becomes the only token of the next step: i64 in two words. Offsets count words. Groups: 1.
#include "common.glsl"

layout(set = 0, binding = 0) uniform Params {
  uint found_at;
  uint tokens_at;
};
layout(set = 0, binding = 1) readonly buffer Found { uint found[]; };
layout(set = 0, binding = 2) buffer Tokens { uint tokens[]; };

void main() {
  if (gl_GlobalInvocationID.x != 0u) return;
  tokens[tokens_at] = found[found_at];
  tokens[tokens_at + 1u] = 0u;
}
