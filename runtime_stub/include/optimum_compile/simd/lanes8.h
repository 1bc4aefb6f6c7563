// Kernels on eight lanes of 32 bits, for x86: what AVX2 and AVX-512 have in common.
//
// A source file includes this once, inside of a region that is compiled for its instructions, after it has
// defined Lookup16 { __m256 low, high; }: the table of 16 floats at the low four bits of each lane. Nothing in here may be a template
// or an inline function of the standard library: the linker keeps one copy of those for the whole program,
// and that would then need these instructions.
#ifndef OPTIMUM_COMPILE_SIMD_LANES8_H
#define OPTIMUM_COMPILE_SIMD_LANES8_H

#define OC_INLINE static inline __attribute__((always_inline))

namespace optimum_compile {
namespace {

OC_INLINE __m256 halves8(const uint16_t* p) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}

// The table of 8 floats at the low three bits of each lane.
struct Lookup8 {
  __m256 table;
  inline __m256 operator()(__m256i i) const { return _mm256_permutevar8x32_ps(table, i); }
};

// What reads the table of a row, by its bits. Four entries are there twice: two bits of another code may follow.
struct Table2 {
  static inline Lookup8 of(const FusedRow& r) {
    long long four;
    memcpy(&four, r.table, 8);
    return {_mm256_cvtph_ps(_mm_set1_epi64x(four))};
  }
};
struct Table3 {
  static inline Lookup8 of(const FusedRow& r) { return {halves8(r.table)}; }
};
struct Table4 {
  static inline Lookup16 of(const FusedRow& r) { return {halves8(r.table), halves8(r.table + 8)}; }
};
// The sum of four registers. Every kernel adds in this order, so that the number of tokens changes no bit.
OC_INLINE float total_of(__m256 a, __m256 b, __m256 c, __m256 d) {
  const __m256 v = _mm256_add_ps(_mm256_add_ps(a, b), _mm256_add_ps(c, d));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

// What becomes of weights, eight after eight in their order: products are added up, ...
struct Sum {
  static constexpr bool whole = false;
  const float* x;
  __m256 a[4];
  explicit Sum(const float* from) : x(from) { a[0] = a[1] = a[2] = a[3] = _mm256_setzero_ps(); }
  // Four independent sums hide the latency of an addition: place p of x goes into p / 8 % 4.
  inline void take(int k, __m256 w) { a[k] = _mm256_fmadd_ps(w, _mm256_loadu_ps(x + 8 * k), a[k]); }
  inline void next(int n) { x += n; }
  inline float total() const { return total_of(a[0], a[1], a[2], a[3]); }
};

// ... or they are stored.
struct Store {
  static constexpr bool whole = true;  // every place of the last block gets a number
  float* out;
  explicit Store(float* to) : out(to) {}
  inline void take(int k, __m256 w) { _mm256_storeu_ps(out + 8 * k, w); }
  inline void next(int n) { out += n; }
};

template <class Table, class Sink>
OC_INLINE void four(const Table& t, __m256i a, __m256i b, __m256i c, __m256i d, Sink& s) {
  s.take(0, t(a));
  s.take(1, t(b));
  s.take(2, t(c));
  s.take(3, t(d));
  s.next(32);
}

OC_INLINE __m256i load(const uint8_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}

// 16 bytes each, as the halves of a register.
OC_INLINE __m256i load_halves(const uint8_t* low, const uint8_t* high) {
  return _mm256_inserti128_si256(
      _mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(low))),
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(high)), 1);
}

// 12 bytes each, three to a lane; `past` bytes later in 16, so that a load need not pass the end.
OC_INLINE __m256i load_threes(const uint8_t* low, const uint8_t* high, bool past) {
  const __m256i spread = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1));
  const __m256i late = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(4, 5, 6, -1, 7, 8, 9, -1, 10, 11, 12, -1, 13, 14, 15, -1));
  if (past) return _mm256_shuffle_epi8(load_halves(low - 4, high - 4), late);
  return _mm256_shuffle_epi8(load_halves(low, high), spread);
}

// 24 bytes: three to each lane.
OC_INLINE __m256i load_sixes(const uint8_t* p) {
  const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 8));  // not past the end
  const __m128i spread = _mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1);
  const __m128i late = _mm_setr_epi8(4, 5, 6, -1, 7, 8, 9, -1, 10, 11, 12, -1, 13, 14, 15, -1);
  return _mm256_set_m128i(_mm_shuffle_epi8(high, late), _mm_shuffle_epi8(low, spread));
}

// Fields of two times as many bits: those of `high` above those of `low`. kBits: their number before.
template <int kBits>
struct Pair {
  __m256i even, odd;  // fields 0, 2, .. and 1, 3, ..
  Pair(__m256i high, __m256i low) {
    const __m256i lower = _mm256_set1_epi32(kBits == 1 ? 0x55555555 : 0x33333333);
    even = _mm256_or_si256(_mm256_slli_epi32(_mm256_and_si256(high, lower), kBits),
                           _mm256_and_si256(low, lower));
    odd = _mm256_or_si256(_mm256_andnot_si256(lower, high),
                          _mm256_and_si256(_mm256_srli_epi32(low, kBits), lower));
  }
};

// Rows with a table of 4, 8 or 16 come in blocks of 256 columns. Column 128 h + 32 part + 8 i + k is in lane 4 h + i:
// the same for planes and for packed codes, so that both add up the same products in the same order.
constexpr int64_t kBlock = 256;
constexpr int kParts = 4;

// The bits of a plane: in each half byte i of each part becomes lane i.
OC_INLINE __m256i load_plane(const uint8_t* p) {
  const __m256i order = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  return _mm256_shuffle_epi8(load(p), order);
}

// A kind of codes: bytes and planes of a block, and its weights, four at a time, part after part.
struct Nested2 {
  static constexpr int bytes = 32, planes = 2;
  template <class Table, class Sink>
  static inline void block(const uint8_t* p, int64_t plane, const Table& t, int parts, Sink& s) {
    const Pair<1> both(load_plane(p), load_plane(p + plane));
    __m256i a = both.even, b = both.odd;
    for (int part = 0; part < parts; ++part) {
      const auto table = t.part(part);
      for (int j = 0; j < 2; ++j) {
        four(table, a, b, _mm256_srli_epi32(a, 2), _mm256_srli_epi32(b, 2), s);
        a = _mm256_srli_epi32(a, 4);
        b = _mm256_srli_epi32(b, 4);
      }
    }
  }
};

template <int kPlanes>
struct NestedWide {
  static constexpr int bytes = 32, planes = kPlanes;
  template <class Table, class Sink>
  static inline void block(const uint8_t* p, int64_t plane, const Table& t, int parts, Sink& s) {
    const uint8_t* q = p + (kPlanes == 4 ? plane : 0);
    const __m256i first = kPlanes == 4 ? load_plane(p) : _mm256_setzero_si256();
    const Pair<1> high(first, load_plane(q)), low(load_plane(q + plane), load_plane(q + 2 * plane));
    const Pair<2> even(high.even, low.even), odd(high.odd, low.odd);
    __m256i a = even.even, b = odd.even, c = even.odd, d = odd.odd;
    for (int part = 0; part < parts; ++part) {
      const auto table = t.part(part);
      for (int j = 0; j < 2; ++j) {
        four(table, a, b, c, d, s);
        a = _mm256_srli_epi32(a, 4);
        b = _mm256_srli_epi32(b, 4);
        c = _mm256_srli_epi32(c, 4);
        d = _mm256_srli_epi32(d, 4);
      }
    }
  }
};
using Nested3 = NestedWide<3>;
using Nested4 = NestedWide<4>;

// Eight codes of each lane.
template <int kBits, class Table, class Sink>
OC_INLINE void eight(const Table& t, __m256i a, Sink& s) {
  for (int j = 0; j < 2; ++j, a = _mm256_srli_epi32(a, 4 * kBits)) {
    four(t, a, _mm256_srli_epi32(a, kBits), _mm256_srli_epi32(a, 2 * kBits),
         _mm256_srli_epi32(a, 3 * kBits), s);
  }
}

struct Packed2 {
  static constexpr int bytes = 64, planes = 1;
  template <class Table, class Sink>
  static inline void block(const uint8_t* p, int64_t, const Table& t, int parts, Sink& s) {
    // Two bytes a lane and part: two parts fill a lane.
    const __m256i order = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15));
    for (int part = 0; part < parts; part += 2) {
      const __m256i a = _mm256_shuffle_epi8(load_halves(p + 8 * part, p + 32 + 8 * part), order);
      eight<2>(t.part(part), a, s);
      eight<2>(t.part(part + 1), _mm256_srli_epi32(a, 16), s);
    }
  }
};

struct Packed3 {
  static constexpr int bytes = 96, planes = 1;
  template <class Table, class Sink>
  static inline void block(const uint8_t* p, int64_t, const Table& t, int parts, Sink& s) {
    for (int part = 0; part < parts; ++part) {
      eight<3>(t.part(part), load_threes(p + 12 * part, p + 48 + 12 * part, part > 0), s);
    }
  }
};

struct Packed4 {
  static constexpr int bytes = 128, planes = 1;
  template <class Table, class Sink>
  static inline void block(const uint8_t* p, int64_t, const Table& t, int parts, Sink& s) {
    for (int part = 0; part < parts; ++part) {
      eight<4>(t.part(part), load_halves(p + 16 * part, p + 64 + 16 * part), s);
    }
  }
};

// Missing lanes of the last block are read as entry 0 of the table; these bits make them 0.
OC_INLINE __m256 mask_of(__m256i starts, int64_t n) {  // lanes that start before column n
  return _mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), starts));
}
OC_INLINE __m256 first_lanes(int64_t n) { return mask_of(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), n); }

template <class Lookup>
struct Masked {
  const Lookup& lookup;
  __m256 lanes;
  inline __m256 operator()(__m256i i) const { return _mm256_and_ps(lookup(i), lanes); }
};

// A table in a whole block, and in the last one, of which `columns` are there.
template <class Lookup>
struct Whole {
  const Lookup& lookup;
  inline const Lookup& part(int) const { return lookup; }
};
template <class Lookup>
struct Last {
  const Lookup& lookup;
  int64_t columns;
  inline Masked<Lookup> part(int part) const {
    const __m256i starts = _mm256_setr_epi32(0, 8, 16, 24, 128, 136, 144, 152);
    return {lookup, mask_of(starts, columns - 32 * part)};
  }
};

// What is left of a row, in memory where a whole block can be read.
struct Rest {
  uint8_t bytes[128];
  Rest(const FusedRow& r, int64_t first, int64_t size, int block, int planes) {
    memset(bytes, 0, sizeof bytes);
    for (int p = 0; p < planes; ++p) {
      memcpy(bytes + block * p, r.codes + p * r.plane + first, static_cast<size_t>(size));
    }
  }
};

// All weights of a row with a table.
template <class Kind, class Lookup, class Sink>
OC_INLINE void each_block(const FusedRow& r, const Lookup& lookup, Sink& s) {
  const int64_t blocks = r.columns / kBlock, left = r.columns % kBlock;
  for (int64_t b = 0; b < blocks; ++b) {
    Kind::block(r.codes + b * Kind::bytes, r.plane, Whole<Lookup>{lookup}, kParts, s);
  }
  if (left == 0) return;
  // A short rest has nothing in its last parts.
  const int parts = Sink::whole || left > 96 ? kParts : static_cast<int>((left + 31) / 32);
  const Rest rest(r, blocks * Kind::bytes, left * Kind::bytes / kBlock, Kind::bytes, Kind::planes);
  Kind::block(rest.bytes, Kind::bytes, Last<Lookup>{lookup, left}, parts, s);
}

template <class Kind, class Table>
float table_dot(const FusedRow& r, const float* x) {
  Sum sum(x);
  each_block<Kind>(r, Table::of(r), sum);
  return sum.total();
}

template <class Kind, class Table>
void table_decode(const FusedRow& r, float* out) {
  Store store(out);
  each_block<Kind>(r, Table::of(r), store);
}

}  // namespace
}  // namespace optimum_compile

#include "optimum_compile/simd/lanes8_grids.h"
#include "optimum_compile/simd/lanes8_vectors.h"

#endif
