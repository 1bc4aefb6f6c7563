// NEON: sixteen lanes of a byte. A table of fp16 numbers is two tables of bytes, which byte permutes read.
#include "optimum_compile/simd/simd.h"

#if defined(__aarch64__) && defined(__GNUC__)
#include <arm_neon.h>
#include <string.h>

#define OC_INLINE static inline __attribute__((always_inline))

namespace optimum_compile {
namespace {

OC_INLINE float32x4_t widen(float16x4_t v) { return vcvt_f32_f16(v); }
OC_INLINE float16x8_t halves8(const uint16_t* p) { return vreinterpretq_f16_u16(vld1q_u16(p)); }

// The sum of four registers. Every kernel adds in this order, so that the number of tokens changes no bit.
OC_INLINE float total_of(const float32x4_t* a) {
  return vaddvq_f32(vaddq_f32(vaddq_f32(a[0], a[1]), vaddq_f32(a[2], a[3])));
}

// Products of 16 weights are added up, one register for each four of them, ...
struct Sum {
  const float* x;
  float32x4_t a[4];
  explicit Sum(const float* from) : x(from) { a[0] = a[1] = a[2] = a[3] = vdupq_n_f32(0); }
  inline void take(int k, float32x4_t w) { a[k] = vfmaq_f32(a[k], w, vld1q_f32(x + 4 * k)); }
  inline void next(int n) { x += n; }
  inline float total() const { return total_of(a); }
};

// ... or the weights are stored.
struct Store {
  float* out;
  explicit Store(float* to) : out(to) {}
  inline void take(int k, float32x4_t w) { vst1q_f32(out + 4 * k, w); }
  inline void next(int n) { out += n; }
};

// 16 fp16 numbers from their bytes, as weights.
template <class Sink>
OC_INLINE void take16(uint8x16_t low, uint8x16_t high, Sink& s) {
  const float16x8_t first = vreinterpretq_f16_u8(vzip1q_u8(low, high));
  const float16x8_t second = vreinterpretq_f16_u8(vzip2q_u8(low, high));
  s.take(0, widen(vget_low_f16(first)));
  s.take(1, widen(vget_high_f16(first)));
  s.take(2, widen(vget_low_f16(second)));
  s.take(3, widen(vget_high_f16(second)));
  s.next(16);
}

// A table of up to 16 entries at the low kBits of each byte; lanes that are off become 0.
template <int kBits>
struct Table {
  uint8x16_t low, high, lanes = vdupq_n_u8(255);
  explicit Table(const uint16_t* from) {
    uint8_t bytes[32] = {0};
    memcpy(bytes, from, size_t{2} << kBits);
    const uint8x16x2_t parts = vld2q_u8(bytes);
    low = parts.val[0];
    high = parts.val[1];
  }
  template <class Sink>
  inline void take(uint8x16_t i, Sink& s) const {
    const uint8x16_t at = vandq_u8(i, vdupq_n_u8((1 << kBits) - 1));
    take16(vandq_u8(vqtbl1q_u8(low, at), lanes), vandq_u8(vqtbl1q_u8(high, at), lanes), s);
  }
};

// 64 entries: four registers of bytes each.
struct Table6 {
  uint8x16x4_t low, high;
  uint8x16_t lanes = vdupq_n_u8(255);
  explicit Table6(const uint16_t* from) {
    for (int i = 0; i < 4; ++i) {
      const uint8x16x2_t parts = vld2q_u8(reinterpret_cast<const uint8_t*>(from + 16 * i));
      low.val[i] = parts.val[0];
      high.val[i] = parts.val[1];
    }
  }
  template <class Sink>
  inline void take(uint8x16_t i, Sink& s) const {
    const uint8x16_t at = vandq_u8(i, vdupq_n_u8(63));
    take16(vandq_u8(vqtbl4q_u8(low, at), lanes), vandq_u8(vqtbl4q_u8(high, at), lanes), s);
  }
};

// Fields of two times as many bits: those of `high` above those of `low`.
template <int kBits>
struct Pair {
  uint8x16_t even, odd;
  Pair(uint8x16_t high, uint8x16_t low) {
    const uint8x16_t lower = vdupq_n_u8(kBits == 1 ? 0x55 : 0x33);
    even = vbslq_u8(lower, low, vshlq_n_u8(high, kBits));
    odd = vbslq_u8(lower, vshrq_n_u8(low, kBits), high);
  }
};

// Kinds of codes: how many a lane has, its bytes, planes, and a block of them.
struct Nested2 {
  static constexpr int each = 8, bytes = 1, planes = 2;
  template <class T, class Sink>
  static inline void block(const uint8_t* p, int64_t plane, const T& t, Sink& s) {
    const Pair<1> both(vld1q_u8(p), vld1q_u8(p + plane));
    uint8x16_t a = both.even, b = both.odd;
    for (int j = 0; j < 4; ++j) {
      t.take(a, s);
      t.take(b, s);
      a = vshrq_n_u8(a, 2);
      b = vshrq_n_u8(b, 2);
    }
  }
};

template <int kPlanes>
struct NestedWide {
  static constexpr int each = 8, bytes = 1, planes = kPlanes;
  template <class T, class Sink>
  static inline void block(const uint8_t* p, int64_t plane, const T& t, Sink& s) {
    const uint8_t* const q = p + (kPlanes == 4 ? plane : 0);
    const uint8x16_t first = kPlanes == 4 ? vld1q_u8(p) : vdupq_n_u8(0);
    const Pair<1> high(first, vld1q_u8(q)), low(vld1q_u8(q + plane), vld1q_u8(q + 2 * plane));
    const Pair<2> even(high.even, low.even), odd(high.odd, low.odd);
    const uint8x16_t fields[4] = {even.even, odd.even, even.odd, odd.odd};
    for (int k = 0; k < 4; ++k) t.take(fields[k], s);
    for (int k = 0; k < 4; ++k) t.take(vshrq_n_u8(fields[k], 4), s);
  }
};

// Packed codes, eight to a lane as in planes: the bytes of a lane are in as many registers.
struct Packed2 {
  static constexpr int each = 8, bytes = 2, planes = 1;
  template <class T, class Sink>
  static inline void block(const uint8_t* p, int64_t, const T& t, Sink& s) {
    const uint8x16x2_t v = vld2q_u8(p);
    for (int j = 0; j < 2; ++j) {
      uint8x16_t a = v.val[j];
      for (int k = 0; k < 4; ++k, a = vshrq_n_u8(a, 2)) t.take(a, s);
    }
  }
};

struct Packed4 {
  static constexpr int each = 8, bytes = 4, planes = 1;
  template <class T, class Sink>
  static inline void block(const uint8_t* p, int64_t, const T& t, Sink& s) {
    const uint8x16x4_t v = vld4q_u8(p);
    for (int j = 0; j < 4; ++j) {
      t.take(v.val[j], s);
      t.take(vshrq_n_u8(v.val[j], 4), s);
    }
  }
};

// Three bytes a lane: bits `at` .. of them, as a byte.
OC_INLINE uint8x16_t bits_at(const uint8x16x3_t& v, int at) {
  const int8x16_t down = vdupq_n_s8(static_cast<int8_t>(-(at % 8)));
  const int8x16_t up = vdupq_n_s8(static_cast<int8_t>(8 - at % 8));
  const uint8x16_t first = vshlq_u8(v.val[at / 8], down);
  return at / 8 == 2 ? first : vorrq_u8(first, vshlq_u8(v.val[at / 8 + 1], up));
}

template <int kBits>
struct Threes {
  static constexpr int each = 24 / kBits, bytes = 3, planes = 1;
  template <class T, class Sink>
  static inline void block(const uint8_t* p, int64_t, const T& t, Sink& s) {
    const uint8x16x3_t v = vld3q_u8(p);
    for (int k = 0; k < each; ++k) t.take(bits_at(v, k * kBits), s);
  }
};

// The lanes that are left, in memory where a whole block can be read.
struct Rest {
  uint8_t bytes[64];
  Rest(const FusedRow& r, int64_t first, int64_t lanes, int size, int planes) {
    memset(bytes, 0, sizeof bytes);
    for (int p = 0; p < planes; ++p) {
      memcpy(bytes + 16 * p, r.codes + p * r.plane + first, static_cast<size_t>(lanes * size));
    }
  }
};

OC_INLINE uint8x16_t first_lanes(int64_t n) {
  const uint8x16_t lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return vcltq_u8(lanes, vdupq_n_u8(static_cast<uint8_t>(n)));
}

template <class Kind, class T, class Sink>
OC_INLINE void each_block(const FusedRow& r, T t, Sink& s) {
  const int64_t lanes = r.columns / Kind::each, blocks = lanes / 16;
  for (int64_t b = 0; b < blocks; ++b) Kind::block(r.codes + b * 16 * Kind::bytes, r.plane, t, s);
  if (lanes % 16 == 0) return;
  const Rest rest(r, blocks * 16 * Kind::bytes, lanes % 16, Kind::bytes, Kind::planes);
  t.lanes = first_lanes(lanes % 16);
  Kind::block(rest.bytes, 16, t, s);
}

template <class Kind, class T>
float table_dot(const FusedRow& r, const float* x) {
  Sum sum(x);
  each_block<Kind>(r, T(r.table), sum);
  return sum.total();
}

template <class Kind, class T>
void table_decode(const FusedRow& r, float* out) {
  Store store(out);
  each_block<Kind>(r, T(r.table), store);
}

// each(i, k, s) for columns i .. i + 7 of n, a multiple of eight: they go to places k and k + 1 of a step of 16.
template <class Each, class Sink>
OC_INLINE void by_eights(int64_t n, const Each& each, Sink& s) {
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    each(i, 0, s);
    each(i + 8, 2, s);
    s.next(16);
  }
  if (i == n) return;
  each(i, 0, s);
  s.next(8);
}

// Eight codes of a byte as numbers.
template <bool kSigned>
OC_INLINE void numbers8(uint8x8_t codes, float32x4_t* low, float32x4_t* high) {
  if (kSigned) {
    const int16x8_t wide = vmovl_s8(vreinterpret_s8_u8(codes));
    *low = vcvtq_f32_s32(vmovl_s16(vget_low_s16(wide)));
    *high = vcvtq_f32_s32(vmovl_s16(vget_high_s16(wide)));
  } else {
    const uint16x8_t wide = vmovl_u8(codes);
    *low = vcvtq_f32_u32(vmovl_u16(vget_low_u16(wide)));
    *high = vcvtq_f32_u32(vmovl_u16(vget_high_u16(wide)));
  }
}

// A grid in the order of its columns; a group is 8 of them or a multiple.
template <int kBits, bool kSigned, class Sink>
OC_INLINE void each_code(const FusedRow& r, Sink& s) {
  int64_t g = 0, end = r.group;
  const auto each = [&](int64_t i, int k, Sink& to) __attribute__((always_inline)) {
    if (i >= end) ++g, end += r.group;
    uint8x8_t codes;
    if (kBits == 8) {
      codes = vld1_u8(r.codes + i);
    } else {
      uint32_t word;
      memcpy(&word, r.codes + i / 2, 4);
      const uint8x8_t four = vreinterpret_u8_u32(vdup_n_u32(word));
      codes = vzip1_u8(vand_u8(four, vdup_n_u8(15)), vshr_n_u8(four, 4));
      // The sign of four bits spreads over eight.
      if (kSigned) codes = vreinterpret_u8_s8(vshr_n_s8(vreinterpret_s8_u8(vshl_n_u8(codes, 4)), 4));
    }
    float32x4_t low, high;
    numbers8<kSigned>(codes, &low, &high);
    const float32x4_t zero = vdupq_n_f32(kSigned ? 0.0f : r.zeros[g]);
    to.take(k, vmulq_n_f32(vsubq_f32(low, zero), r.scales[g]));
    to.take(k + 1, vmulq_n_f32(vsubq_f32(high, zero), r.scales[g]));
  };
  by_eights(r.columns, each, s);
}

template <int kBits>
float grid_dot(const FusedRow& r, const float* x) {
  Sum sum(x);
  r.zeros == nullptr ? each_code<kBits, true>(r, sum) : each_code<kBits, false>(r, sum);
  return sum.total();
}

template <int kBits>
void grid_decode(const FusedRow& r, float* out) {
  Store store(out);
  r.zeros == nullptr ? each_code<kBits, true>(r, store) : each_code<kBits, false>(r, store);
}

template <class Sink>
OC_INLINE void each_half(const FusedRow& r, Sink& s) {
  const auto each = [&](int64_t i, int k, Sink& to) __attribute__((always_inline)) {
    const float16x8_t v = halves8(r.table + i);
    to.take(k, widen(vget_low_f16(v)));
    to.take(k + 1, widen(vget_high_f16(v)));
  };
  by_eights(r.columns, each, s);
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

#include "optimum_compile/simd/neon_vectors.h"

// x for sixteen lanes of kEach codes: place (code, lane) of a block.
template <int kEach>
void arrange(const float* x, int64_t columns, float* out) {
  for (int64_t first = 0; first < columns; first += 16 * kEach, out += 16 * kEach) {
    memset(out, 0, sizeof(float) * 16 * kEach);
    const int64_t n = columns - first < 16 * kEach ? columns - first : 16 * kEach;
    for (int64_t c = 0; c < n; ++c) out[c % kEach * 16 + c / kEach] = x[first + c];
  }
}

template <class Kind, class T>
constexpr FusedKernel of_table(int64_t multiple) {
  return {multiple, 16 * Kind::each, arrange<Kind::each>, table_dot<Kind, T>, table_decode<Kind, T>};
}
constexpr FusedKernel in_order(int64_t multiple, float (*dot)(const FusedRow&, const float*),
                               void (*decode)(const FusedRow&, float*)) {
  return {multiple, 0, nullptr, dot, decode};
}

constexpr SimdSet kSet = {
    "neon",
    {of_table<Nested2, Table<2>>(8), of_table<NestedWide<3>, Table<3>>(8),
     of_table<NestedWide<4>, Table<4>>(8), of_table<Packed2, Table<2>>(8), of_table<Threes<3>, Table<3>>(8),
     of_table<Packed4, Table<4>>(8), of_table<Threes<6>, Table6>(4), in_order(8, grid_dot<4>, grid_decode<4>),
     in_order(8, grid_dot<8>, grid_decode<8>), in_order(8, half_dot, half_decode),
     in_order(8, vector_dot<4>, vector_decode<4>), in_order(8, vector_dot<2>, vector_decode<2>),
     in_order(8, vector6x2_dot, vector6x2_decode)},
    block_product};

}  // namespace

const SimdSet* simd_neon() { return &kSet; }

}  // namespace optimum_compile

#else

namespace optimum_compile {

const SimdSet* simd_neon() { return nullptr; }

}  // namespace optimum_compile

#endif
