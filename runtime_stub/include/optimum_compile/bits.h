// Fp16 numbers without hardware for them, and codes of a packed stream.
#ifndef OPTIMUM_COMPILE_BITS_H
#define OPTIMUM_COMPILE_BITS_H

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace optimum_compile {

// Without branches, so that loops over it vectorise: a product moves the exponent, subnormals included.
inline float half_to_float(uint16_t h) {
  const uint32_t magnitude = h & 0x7fffu;
  uint32_t bits = magnitude << 13;
  float value;
  std::memcpy(&value, &bits, 4);
  value *= 5.192296858534828e+33f;  // 2^112
  std::memcpy(&bits, &value, 4);
  bits |= magnitude >= 0x7c00u ? 0x7f800000u : 0u;  // infinity, NaN
  bits |= static_cast<uint32_t>(h & 0x8000u) << 16;
  std::memcpy(&value, &bits, 4);
  return value;
}

// The nearest fp16 number, ties to even.
inline float round_to_half(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  const uint32_t sign = bits & 0x80000000u;
  uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude < 0x38800000u) {  // below 2^-14: multiples of 2^-24; adding 0.75 rounds to them
    const float near = (std::fabs(x) + 0.75f) - 0.75f;
    std::memcpy(&magnitude, &near, 4);
  } else if (magnitude < 0x7f800000u) {
    magnitude = (magnitude + 0xfffu + ((magnitude >> 13) & 1u)) & ~0x1fffu;
    if (magnitude >= 0x47800000u) magnitude = 0x7f800000u;  // 65536 and more
  }
  bits = sign | magnitude;
  float out;
  std::memcpy(&out, &bits, 4);
  return out;
}

// The bits of the nearest fp16 number, ties to even.
inline uint16_t float_to_half(float x) {
  const float near = round_to_half(x);
  uint32_t bits;
  std::memcpy(&bits, &near, 4);
  const uint32_t sign = (bits >> 16) & 0x8000u, magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<uint16_t>(sign | 0x7e00u);
  if (magnitude == 0x7f800000u) return static_cast<uint16_t>(sign | 0x7c00u);
  if (magnitude >= 0x38800000u) return static_cast<uint16_t>(sign | ((magnitude - 0x38000000u) >> 13));
  const float units = std::fabs(near) * 16777216.0f;  // a subnormal is so many times 2^-24
  return static_cast<uint16_t>(sign | static_cast<uint32_t>(units));
}

// Code `index` of a packed stream of codes of at most 9 bits.
inline uint32_t code_at(const uint8_t* data, size_t bytes, int bits, uint64_t index) {
  const uint64_t bit = index * static_cast<uint64_t>(bits);
  const size_t byte = bit >> 3;
  uint32_t window = data[byte];
  if (byte + 1 < bytes) window |= static_cast<uint32_t>(data[byte + 1]) << 8;
  return (window >> (bit & 7)) & ((1u << bits) - 1u);
}

}  // namespace optimum_compile

#endif
