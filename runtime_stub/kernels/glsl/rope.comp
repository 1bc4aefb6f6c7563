#version 450
// Rotary embedding: channels i and i + width / 2 of a head are turned by the angle of its position.
// Groups: ceil(heads * U / local), tokens; U = width / 4 where 4 divides width, else width / 2.
// y may be the view x where 4 divides width. The table is float32 (context, width): cosines, then sines.
#include "common.glsl"

layout(constant_id = 1) const uint X_HALF = 1u;
layout(constant_id = 2) const uint Y_HALF = 1u;

layout(set = 0, binding = 0) uniform Params {
  uint heads;
  uint width;
  uint past;
  uint x_at;
  uint x_token;
  uint x_head;
  uint y_at;
  uint y_token;
  uint y_head;
};
layout(set = 0, binding = 1) readonly buffer X { uint x[]; };
layout(set = 0, binding = 2) readonly buffer Table { uint table[]; };
layout(set = 0, binding = 3) buffer Y { uint y[]; };

// One channel of a head, from both that it is made of.
float turned(uint from, uint angles, uint i) {
  const uint half_ = width / 2u;
  const uint pair = i < half_ ? i : i - half_;
  const float a = LOAD(x, X_HALF, from + pair), b = LOAD(x, X_HALF, from + pair + half_);
  const float c = uintBitsToFloat(table[angles + pair]);
  const float s = uintBitsToFloat(table[angles + half_ + pair]);
  return i < half_ ? a * c - b * s : b * c + a * s;
}

void main() {
  const uint token = gl_WorkGroupID.y, half_ = width / 2u;
  const bool fours = width % 4u == 0u;
  const uint units = fours ? width / 4u : half_;
  const uint head = gl_GlobalInvocationID.x / units, unit = gl_GlobalInvocationID.x % units;
  if (head >= heads) return;
  const uint from = x_at + token * x_token + head * x_head;
  const uint to = y_at + token * y_token + head * y_head;
  const uint angles = (past + token) * width, i = 2u * unit;
  if (!fours) {
    STORE2(y, Y_HALF, to + i, vec2(turned(from, angles, i), turned(from, angles, i + 1u)));
    return;
  }
  const vec2 a = LOAD2(x, X_HALF, from + i), b = LOAD2(x, X_HALF, from + half_ + i);
  const vec2 c = LOAD2(table, 0u, angles + i), s = LOAD2(table, 0u, angles + half_ + i);
  STORE2(y, Y_HALF, to + i, a * c - b * s);
  STORE2(y, Y_HALF, to + half_ + i, b * c + a * s);
}
