// The rest of lanes8.h, which includes this: fp16 rows, codebooks of vectors, products of decoded rows.
#ifndef OPTIMUM_COMPILE_SIMD_LANES8_VECTORS_H
#define OPTIMUM_COMPILE_SIMD_LANES8_VECTORS_H

namespace optimum_compile {
namespace {

// x for the tables: place (part, k, lane) of a block, see kBlock.
static void arrange_table(const float* x, int64_t columns, float* out) {
  for (int64_t first = 0; first < columns; first += kBlock, out += kBlock) {
    memset(out, 0, sizeof(float) * kBlock);
    const int64_t n = columns - first < kBlock ? columns - first : kBlock;
    for (int64_t c = 0; c < n; c += 8) {
      float* const to = out + c % 128 / 32 * 64 + c / 128 * 4 + c % 32 / 8;
      for (int k = 0; k < 8; ++k) to[8 * k] = x[first + c + k];
    }
  }
}

// x for eight lanes of kEach codes of kUnit numbers each: place (code, lane, number) of a block.
template <int kEach, int kUnit>
void arrange_lanes(const float* x, int64_t columns, float* out) {
  constexpr int64_t along = kEach * kUnit;
  for (int64_t first = 0; first < columns; first += 8 * along, out += 8 * along) {
    memset(out, 0, sizeof(float) * 8 * along);
    const int64_t lanes = columns - first < 8 * along ? (columns - first) / along : 8;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      const float* const from = x + first + lane * along;
      for (int i = 0; i < along; ++i) out[(i / kUnit * 8 + lane) * kUnit + i % kUnit] = from[i];
    }
  }
}

template <class Sink>
OC_INLINE void each_half(const FusedRow& r, Sink& s) {
  const uint16_t* p = r.table;
  int64_t n = r.columns;
  for (; n >= 32; n -= 32, p += 32) {
    for (int k = 0; k < 4; ++k) s.take(k, halves8(p + 8 * k));
    s.next(32);
  }
  for (; n > 0; n -= 8, p += 8) {
    s.take(0, halves8(p));
    s.next(8);
  }
}

static float half_dot(const FusedRow& r, const float* x) {
  Sum sum(x);
  each_half(r, sum);
  return sum.total();
}

static void half_decode(const FusedRow& r, float* out) {
  Store store(out);
  each_half(r, store);
}

// Sixteen numbers from eight pairs of fp16 ones, as they lie in the lanes.
struct Pairs {
  __m256 low, high;
  explicit Pairs(__m256i pairs)
      : low(_mm256_cvtph_ps(_mm256_castsi256_si128(pairs))),
        high(_mm256_cvtph_ps(_mm256_extracti128_si256(pairs, 1))) {}
};

OC_INLINE __m256i gather_pairs(const uint16_t* table, __m256i at) {
  return _mm256_i32gather_epi32(reinterpret_cast<const int*>(table), at, 4);
}

// Eight columns from two vectors of four numbers.
OC_INLINE __m256 two_fours(const float* entries, const uint8_t* codes) {
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(entries + 4 * codes[0])),
                              _mm_loadu_ps(entries + 4 * codes[1]), 1);
}

// Columns of one group, a multiple of 32 or what is left of a row.
struct Vector8x4 {
  template <class Sink>
  static inline void group(const FusedRow& r, int64_t first, int64_t n, __m256 scale, Sink& s) {
    const uint8_t* p = r.codes + first / 4;
    for (; n >= 32; n -= 32, p += 8) {
      for (int k = 0; k < 4; ++k) s.take(k, _mm256_mul_ps(two_fours(r.entries, p + 2 * k), scale));
      s.next(32);
    }
    for (; n > 0; n -= 8, p += 2) {
      s.take(0, _mm256_mul_ps(two_fours(r.entries, p), scale));
      s.next(8);
    }
  }
};

struct Vector8x2 {
  template <class Sink>
  static inline void group(const FusedRow& r, int64_t first, int64_t n, __m256 scale, Sink& s) {
    const uint8_t* p = r.codes + first / 2;
    for (; n >= 32; n -= 32, p += 16) {
      const Pairs a(pairs(r, p)), b(pairs(r, p + 8));
      s.take(0, _mm256_mul_ps(a.low, scale));
      s.take(1, _mm256_mul_ps(a.high, scale));
      s.take(2, _mm256_mul_ps(b.low, scale));
      s.take(3, _mm256_mul_ps(b.high, scale));
      s.next(32);
    }
    if (n == 0) return;
    const Pairs a(pairs(r, p));
    s.take(0, _mm256_mul_ps(a.low, scale));
    s.next(8);
    s.take(0, _mm256_mul_ps(a.high, scale));
    s.next(8);
  }
  static inline __m256i pairs(const FusedRow& r, const uint8_t* p) {
    const __m128i codes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
    return gather_pairs(r.table, _mm256_cvtepu8_epi32(codes));
  }
};

template <class Kind, class Sink>
OC_INLINE void each_vector(const FusedRow& r, Sink& s) {
  for (int64_t first = 0, g = 0; first < r.columns; first += r.group, ++g) {
    const int64_t n = r.columns - first < r.group ? r.columns - first : r.group;
    Kind::group(r, first, n, _mm256_set1_ps(r.scales[g]), s);
  }
}

template <class Kind>
float vector_dot(const FusedRow& r, const float* x) {
  Sum sum(x);
  each_vector<Kind>(r, sum);
  return sum.total();
}

template <class Kind>
void vector_decode(const FusedRow& r, float* out) {
  Store store(out);
  each_vector<Kind>(r, store);
}

// Products of decoded rows: kRows times kTokens of them, each in sums of its own. They add up as `Sum` does, and so
// give the same numbers, whatever other products are made with them.
template <class V, int kRows, int kTokens>
OC_INLINE void tile(const float* w, int64_t w_stride, const float* x, int64_t x_stride, int64_t n, float* out,
                    int64_t out_stride) {
  typename V::Type sums[kRows][kTokens][V::count];
  for (int r = 0; r < kRows; ++r) {
    for (int t = 0; t < kTokens; ++t) {
      for (int k = 0; k < V::count; ++k) sums[r][t][k] = V::zero();
    }
  }
  int64_t i = 0;
  for (; i + 32 <= n; i += 32) {
    for (int k = 0; k < V::count; ++k) {
      typename V::Type left[kRows];
      for (int r = 0; r < kRows; ++r) left[r] = V::load(w + r * w_stride + i + V::lanes * k);
      for (int t = 0; t < kTokens; ++t) {
        const typename V::Type right = V::load(x + t * x_stride + i + V::lanes * k);
        for (int r = 0; r < kRows; ++r) sums[r][t][k] = V::add_product(left[r], right, sums[r][t][k]);
      }
    }
  }
  for (; i + 8 <= n; i += 8) {
    for (int r = 0; r < kRows; ++r) {
      const typename V::Type left = V::load8(w + r * w_stride + i);
      for (int t = 0; t < kTokens; ++t) {
        sums[r][t][0] = V::add_product(left, V::load8(x + t * x_stride + i), sums[r][t][0]);
      }
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int t = 0; t < kTokens; ++t) {
      float sum = V::total(sums[r][t]);
      for (int64_t j = i; j < n; ++j) sum += w[r * w_stride + j] * x[t * x_stride + j];
      out[t * out_stride + r] = sum;
    }
  }
}

template <class V, int kRows, int kTokens>
OC_INLINE void rows_of(const float* w, int64_t w_stride, int64_t rows, const float* x, int64_t x_stride, int64_t n,
                       float* out, int64_t out_stride) {
  int64_t r = 0;
  for (; r + kRows <= rows; r += kRows) {
    tile<V, kRows, kTokens>(w + r * w_stride, w_stride, x, x_stride, n, out + r, out_stride);
  }
  for (; kRows > 1 && r < rows; ++r) {
    tile<V, 1, kTokens>(w + r * w_stride, w_stride, x, x_stride, n, out + r, out_stride);
  }
}

// A few tokens meet all rows while they are near.
template <class V, int kRows>
void block_product(const float* w, int64_t w_stride, int64_t rows, const float* x, int64_t x_stride,
                   int64_t tokens, int64_t n, float* out, int64_t out_stride) {
  int64_t t = 0;
  for (; t + 3 <= tokens; t += 3) {
    rows_of<V, kRows, 3>(w, w_stride, rows, x + t * x_stride, x_stride, n, out + t * out_stride, out_stride);
  }
  for (; t < tokens; ++t) {
    rows_of<V, kRows, 1>(w, w_stride, rows, x + t * x_stride, x_stride, n, out + t * out_stride, out_stride);
  }
}

struct Eight {
  using Type = __m256;
  static constexpr int lanes = 8, count = 4;
  static inline Type zero() { return _mm256_setzero_ps(); }
  static inline Type load(const float* p) { return _mm256_loadu_ps(p); }
  static inline Type load8(const float* p) { return _mm256_loadu_ps(p); }
  static inline Type add_product(Type a, Type b, Type c) { return _mm256_fmadd_ps(a, b, c); }
  static inline float total(const Type* v) { return total_of(v[0], v[1], v[2], v[3]); }
};

using Dot = float (*)(const FusedRow&, const float*);
using Decode = void (*)(const FusedRow&, float*);

// A kernel whose x keeps its order, and those of tables, of six-bit codes and of grids.
constexpr FusedKernel in_order(int64_t multiple, Dot dot, Decode decode) {
  return {multiple, 0, nullptr, dot, decode};
}
template <class Kind, class Table>
constexpr FusedKernel of_table(int64_t multiple) {
  return {multiple, kBlock, arrange_table, table_dot<Kind, Table>, table_decode<Kind, Table>};
}

// In the order of RowKind.
#define OC_LANES8_KERNELS(six_table, six_vectors)                                            \
  {                                                                                          \
    of_table<Nested2, Table2>(32), of_table<Nested3, Table3>(32), of_table<Nested4, Table4>(32), \
        of_table<Packed2, Table2>(16), of_table<Packed3, Table3>(8), of_table<Packed4, Table4>(8), \
        six_table, FusedKernel{8, 64, arrange_lanes<8, 1>, grid4_dot, grid4_decode},         \
        in_order(8, grid8_dot, grid8_decode), in_order(8, half_dot, half_decode),            \
        in_order(8, vector_dot<Vector8x4>, vector_decode<Vector8x4>),                        \
        in_order(16, vector_dot<Vector8x2>, vector_decode<Vector8x2>), six_vectors,          \
  }

}  // namespace
}  // namespace optimum_compile

#endif
