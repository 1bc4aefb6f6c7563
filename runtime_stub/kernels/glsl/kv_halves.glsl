// Fp16 numbers bit by bit, subnormal and infinite ones included: what a cache of few bits is counted from is
// then the same on every device and on the CPU (bits.h).

float half_value(uint h) {
  const uint magnitude = h & 0x7fffu;
  const float small = float(magnitude) * 5.9604644775390625e-8;  // times 2^-24
  const uint raised = magnitude >= 0x7c00u ? magnitude + 0x38000u : magnitude + 0x1c000u;
  const float size = magnitude < 0x400u ? small : uintBitsToFloat(raised << 13);
  return (h & 0x8000u) != 0u ? -size : size;
}

// The bits of the nearest fp16 number, ties to even.
uint half_bits(float x) {
  const uint bits = floatBitsToUint(x), sign = (bits >> 16) & 0x8000u;
  const uint magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return sign | 0x7e00u;
  if (magnitude < 0x38800000u) return sign | uint(roundEven(abs(x) * 16777216.0));
  const uint near = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
  return near >= 0x47800000u ? sign | 0x7c00u : sign | ((near - 0x38000000u) >> 13);
}

vec2 half_values(uint word) { return vec2(half_value(word & 0xffffu), half_value(word >> 16)); }

uint halves_bits(vec2 v) { return half_bits(v.x) | (half_bits(v.y) << 16); }

// Two numbers of rows that go into a cache, as a word of it.
#define ROW_WORD(buffer_, half_, i_)                   \
  ((half_) != 0u ? buffer_[(i_) >> 1]                  \
                 : halves_bits(vec2(uintBitsToFloat(buffer_[i_]), uintBitsToFloat(buffer_[(i_) + 1u]))))
