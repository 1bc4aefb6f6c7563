#version 450
// Tokens as int8: scale = max |x| / 127 (1 for what is next to zero), codes = x / scale to nearest, ties to even. Groups x: tokens, or fewer.
// y: four codes a word, `words` words a token (a multiple of 2), zeros behind the last column; `y_at`, `y_token` count words.
#define USE_GROUP_SUM
#include "common.glsl"

layout(constant_id = 1) const uint X_HALF = 1;
layout(constant_id = 2) const uint X_RUNS = 0;

layout(set = 0, binding = 0) uniform Params {
  uint tokens;
  uint columns;
  uint x_at;
  uint x_token;
  uint x_inner;
  uint x_outer;
  uint y_at;
  uint y_token;
  uint words;
  uint scales_at;
};
layout(set = 0, binding = 1) readonly buffer X { uint x[]; };
layout(set = 0, binding = 2) buffer Y { uint y[]; };
layout(set = 0, binding = 3) buffer Scales { uint scales[]; };

float load_x(uint token, uint column) {
  const uint at = x_at + token * x_token +
                  (X_RUNS == 0u ? column : (column / x_inner) * x_outer + column % x_inner);
  return LOAD(x, X_HALF, at);
}

// a / b, corrected by what a division of a few ulp leaves.
float quotient(float a, float b) {
  precise float q = a / b;
  return fma(fma(-q, b, a), 1.0 / b, q);
}

void main() {
  for (uint token = gl_WorkGroupID.x; token < tokens; token += gl_NumWorkGroups.x) {
    float most = 0.0;
    for (uint column = gl_LocalInvocationID.x; column < columns; column += gl_WorkGroupSize.x) {
      most = max(most, abs(load_x(token, column)));
    }
    const float largest = group_max(most);
    const float scale = largest < 1e-30 ? 1.0 : quotient(largest, 127.0);  // 1 / scale is finite
    if (gl_LocalInvocationID.x == 0u) scales[scales_at + token] = floatBitsToUint(scale);
    for (uint i = gl_LocalInvocationID.x; i < words; i += gl_WorkGroupSize.x) {
      uint word = 0u;
      for (uint j = 0u; j < 4u; ++j) {
        if (4u * i + j >= columns) break;
        const float number = roundEven(quotient(load_x(token, 4u * i + j), scale));
        word |= (uint(int(clamp(number, -127.0, 127.0))) & 255u) << (8u * j);
      }
      y[y_at + token * y_token + i] = word;
    }
  }
}
