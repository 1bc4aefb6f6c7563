#version 450
// Walsh-Hadamard transform of blocks of a row, over sqrt(block). A workgroup a block.
// Groups: blocks of a row, tokens. block: a power of two from 2 to 4096. y may be the view x.
#include "common.glsl"

layout(constant_id = 1) const uint X_HALF = 1u;
layout(constant_id = 2) const uint Y_HALF = 1u;

layout(set = 0, binding = 0) uniform Params {
  uint block;
  uint x_at;
  uint x_token;
  uint y_at;
  uint y_token;
};
layout(set = 0, binding = 1) readonly buffer X { uint x[]; };
layout(set = 0, binding = 2) buffer Y { uint y[]; };

shared float numbers[4096];

void main() {
  const uint thread = gl_LocalInvocationID.x, threads = gl_WorkGroupSize.x;
  const uint from = x_at + gl_WorkGroupID.y * x_token + gl_WorkGroupID.x * block;
  const uint to = y_at + gl_WorkGroupID.y * y_token + gl_WorkGroupID.x * block;
  for (uint i = 2u * thread; i < block; i += 2u * threads) {
    const vec2 v = LOAD2(x, X_HALF, from + i);
    numbers[i] = v.x;
    numbers[i + 1u] = v.y;
  }
  for (uint half_ = 1u; half_ < block; half_ *= 2u) {
    barrier();
    for (uint i = thread; i < block / 2u; i += threads) {
      const uint low = i / half_ * 2u * half_ + i % half_, high = low + half_;
      const float a = numbers[low], b = numbers[high];
      numbers[low] = a + b;
      numbers[high] = a - b;
    }
  }
  barrier();
  const float factor = 1.0 / sqrt(float(block));
  for (uint i = 2u * thread; i < block; i += 2u * threads) {
    STORE2(y, Y_HALF, to + i, vec2(numbers[i], numbers[i + 1u]) * factor);
  }
}
