// A part of lanes8.h, which includes this: codes with scales and zero points.
#ifndef OPTIMUM_COMPILE_SIMD_LANES8_GRIDS_H
#define OPTIMUM_COMPILE_SIMD_LANES8_GRIDS_H

namespace optimum_compile {
namespace {

// Codes of a grid as numbers: two's complement, or counted from the middle, of which zero points know.
alignas(32) static const float kSigned[16] = {0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1};
alignas(32) static const float kMiddle[16] = {-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7};

// A row of 4-bit codes of a grid, in blocks of 64 columns. Groups are 8, 16, 32 columns or a multiple of 64.
template <bool kZeros>
struct Scaled {
  const Lookup16& lookup;
  __m256 zero, scale;
  inline __m256 operator()(__m256i i) const {
    const __m256 number = lookup(i);
    return _mm256_mul_ps(kZeros ? _mm256_sub_ps(number, zero) : number, scale);
  }
};

OC_INLINE Lookup16 scaled(const Lookup16& table, float zero, float scale) {
  const __m256 z = _mm256_set1_ps(zero), s = _mm256_set1_ps(scale);
  return {_mm256_mul_ps(_mm256_sub_ps(table.low, z), s), _mm256_mul_ps(_mm256_sub_ps(table.high, z), s)};
}

// Blocks begin .. end - 1. The last one of a row may lack lanes, whose x is 0.
template <class Table, class Sink>
OC_INLINE void grid4_block(const FusedRow& r, int64_t b, const Table& table, Sink& s) {
  if (64 * (b + 1) <= r.columns) return eight<4>(table, load(r.codes + 32 * b), s);
  const int64_t lanes = r.columns % 64 / 8;
  const Rest rest(r, 32 * b, 4 * lanes, 32, 1);
  eight<4>(Masked<Table>{table, first_lanes(lanes)}, load(rest.bytes), s);
}

template <bool kZeros, class Sink>
OC_INLINE void each_grid4(const FusedRow& r, Sink& s) {
  const float* const from = kZeros ? kMiddle : kSigned;
  const Lookup16 numbers = {_mm256_load_ps(from), _mm256_load_ps(from + 8)};
  const int64_t blocks = (r.columns + 63) / 64;
  if (r.group >= 64) {  // the table of a group holds its weights
    const int64_t along = r.group / 64;
    for (int64_t b = 0, g = 0; b < blocks; ++g) {
      const Lookup16 weights = scaled(numbers, kZeros ? r.zeros[g] - 8.0f : 0.0f, r.scales[g]);
      const int64_t end = b + along < blocks ? b + along : blocks;
      for (; b < end; ++b) grid4_block(r, b, weights, s);
    }
    return;
  }
  const int shift = r.group == 8 ? 0 : r.group == 16 ? 1 : 2, step = 8 >> shift;  // groups of a block
  const __m256i places = _mm256_srli_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), shift);
  for (int64_t b = 0; b < blocks; ++b) {
    const auto of_lanes = [&](const float* groups) {
      return _mm256_permutevar8x32_ps(_mm256_loadu_ps(groups + b * step), places);
    };
    const __m256 scale = of_lanes(r.scales);
    const __m256 middle = _mm256_set1_ps(8.0f);
    const __m256 zero = kZeros ? _mm256_sub_ps(of_lanes(r.zeros), middle) : _mm256_setzero_ps();
    grid4_block(r, b, Scaled<kZeros>{numbers, zero, scale}, s);
  }
}

static float grid4_dot(const FusedRow& r, const float* x) {
  Sum sum(x);
  r.zeros == nullptr ? each_grid4<false>(r, sum) : each_grid4<true>(r, sum);
  return sum.total();
}

static void grid4_decode(const FusedRow& r, float* out) {
  Store store(out);
  r.zeros == nullptr ? each_grid4<false>(r, store) : each_grid4<true>(r, store);
}

// Eight codes of a byte each.
template <bool kSigned>
OC_INLINE __m256 bytes8(const uint8_t* p) {
  const __m128i codes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  return _mm256_cvtepi32_ps(kSigned ? _mm256_cvtepi8_epi32(codes) : _mm256_cvtepu8_epi32(codes));
}

// Groups are multiples of 32 columns, or the row.
template <bool kSigned, class Sink>
OC_INLINE void each_byte(const FusedRow& r, Sink& s) {
  const uint8_t* p = r.codes;
  for (int64_t first = 0, g = 0; first < r.columns; first += r.group, ++g) {
    int64_t n = r.columns - first < r.group ? r.columns - first : r.group;
    const __m256 scale = _mm256_set1_ps(r.scales[g]);
    const __m256 zero = kSigned ? _mm256_setzero_ps() : _mm256_set1_ps(r.zeros[g]);
    for (; n >= 32; n -= 32, p += 32) {
      for (int k = 0; k < 4; ++k) {
        const __m256 number = bytes8<kSigned>(p + 8 * k);
        s.take(k, _mm256_mul_ps(kSigned ? number : _mm256_sub_ps(number, zero), scale));
      }
      s.next(32);
    }
    for (; n > 0; n -= 8, p += 8) {
      const __m256 number = bytes8<kSigned>(p);
      s.take(0, _mm256_mul_ps(kSigned ? number : _mm256_sub_ps(number, zero), scale));
      s.next(8);
    }
  }
}

static float grid8_dot(const FusedRow& r, const float* x) {
  Sum sum(x);
  r.zeros == nullptr ? each_byte<true>(r, sum) : each_byte<false>(r, sum);
  return sum.total();
}

static void grid8_decode(const FusedRow& r, float* out) {
  Store store(out);
  r.zeros == nullptr ? each_byte<true>(r, store) : each_byte<false>(r, store);
}

}  // namespace
}  // namespace optimum_compile

#endif
