// Products of int8 activations and signed weights of 4 or 8 bits, in eights of neighbouring columns.
// x: codes that quantize_rows made, four a word; `x_at` and `x_token` count words, and the words of a token are
// those of `columns` rounded up to a multiple of 8. GROUP is a multiple of 8, or 0. X_HALF and X_RUNS are not used.
//
// Of 4-bit weights a word holds eight; masks take the even and the odd ones apart, so the activations are
// put into that order. The nibbles are read as code + 8, which 8 times the sum of x takes back.
#define AFFINE
#define SIGNED
#define INTEGER
#define INTEGER_PARAMS uint x_scales_at;
#include "linear.glsl"

layout(set = 0, binding = 10) readonly buffer XScales { uint x_scales[]; };  // float32, by token

#if defined(DOT)
#extension GL_EXT_spirv_intrinsics : require
spirv_instruction(extensions = ["SPV_KHR_integer_dot_product"], capabilities = [6018, 6019], id = 4450)
int packed_dot(int a, int b, spirv_literal int format);
int dot4(uint a, uint b) { return packed_dot(int(a), int(b), 0); }
#else
int dot4(uint a, uint b) {
  int sum = 0;
  [[unroll]] for (int i = 0; i < 32; i += 8) {
    sum += bitfieldExtract(int(a), i, 8) * bitfieldExtract(int(b), i, 8);
  }
  return sum;
}
#endif

struct Eight {
  uvec2 codes;
  int sum;
};

// Activations of eight columns in the order that the weights have.
Eight load_x8(uint token, uint column) {
  const uint at = x_at + token * x_token + (column >> 2);
  const uint a = x[at], b = x[at + 1u];
  if (BITS != 4u) return Eight(uvec2(a, b), 0);
  const uint even = (a & 0xffu) | ((a >> 8) & 0xff00u) | ((b & 0xffu) << 16) | ((b << 8) & 0xff000000u);
  const uint odd = ((a >> 8) & 0xffu) | ((a >> 16) & 0xff00u) | ((b << 8) & 0xff0000u) | (b & 0xff000000u);
  return Eight(uvec2(even, odd), dot4(even, 0x01010101u) + dot4(odd, 0x01010101u));
}

// Codes of eight columns of a row, which counts from `held`; zeros behind the last column.
uvec2 load_w8(uint row, uint column) {
  uvec2 out_ = uvec2(0u);
  if (ALIGNED != 0u) {
    const uint at = (row * (columns >> 3) + (column >> 3)) * (BITS >> 2);
    out_.x = codes[at];
    if (BITS == 8u) out_.y = codes[at + 1u];
    return out_;
  }
  const uint count = min(8u, columns - column);
  for (uint j = 0u; j < count; ++j) {
    const uint code = CODE_AT(codes, BITS, row * columns + column + j), bit = j * BITS;
    if (bit < 32u) {
      out_.x |= code << (bit & 31u);
    } else {
      out_.y |= code << (bit & 31u);
    }
  }
  return out_;
}

int dot8(Eight x8, uvec2 w8) {
  if (BITS != 4u) return dot4(x8.codes.x, w8.x) + dot4(x8.codes.y, w8.y);
  const uint offset = w8.x ^ 0x88888888u;
  const int even = dot4(x8.codes.x, offset & 0x0f0f0f0fu);
  return even + dot4(x8.codes.y, (offset >> 4) & 0x0f0f0f0fu) - 8 * x8.sum;
}

float x_scale(uint token) { return uintBitsToFloat(x_scales[x_scales_at + token]); }
