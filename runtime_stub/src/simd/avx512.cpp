// AVX-512: one permute reads a table of 16 floats, registers of 16 floats multiply decoded rows.
#include "optimum_compile/simd/simd.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#include <string.h>

// GCC 12 takes the undefined registers of its own header for mistakes.
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avx512f,avx512vl,avx512bw,avx512dq"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c,avx512f,avx512vl,avx512bw,avx512dq")
#endif

namespace optimum_compile {
namespace {

// Eight lanes are enough: tails of a row are shorter than with sixteen, and the permutes are what takes time.
struct Lookup16 {
  __m256 low, high;
  inline __m256 operator()(__m256i i) const { return _mm256_permutex2var_ps(low, i, high); }
};

}  // namespace
}  // namespace optimum_compile

#include "optimum_compile/simd/lanes8.h"

namespace optimum_compile {
namespace {

struct Sixteen {
  using Type = __m512;
  static constexpr int lanes = 16, count = 2;
  static inline Type zero() { return _mm512_setzero_ps(); }
  static inline Type load(const float* p) { return _mm512_loadu_ps(p); }
  static inline Type load8(const float* p) { return _mm512_maskz_loadu_ps(0xff, p); }
  static inline Type add_product(Type a, Type b, Type c) { return _mm512_fmadd_ps(a, b, c); }
  static inline float total(const Type* v) {  // each is two registers of eight
    return total_of(half<0>(v[0]), half<1>(v[0]), half<0>(v[1]), half<1>(v[1]));
  }
  template <int kHalf>
  static inline __m256 half(Type v) {
    return _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(v), kHalf));
  }
};

// Codes of six bits: two fields of eight lanes fill a register of sixteen, and two permutes read 64 entries.
struct Wide {
  __m512i table[4];
  explicit Wide(const void* entries) {
    for (int i = 0; i < 4; ++i) {
      table[i] = _mm512_loadu_si512(static_cast<const uint8_t*>(entries) + 64 * i);
    }
  }
  inline __m512i operator()(__m512i at) const {
    const __m512i low = _mm512_permutex2var_epi32(table[0], at, table[1]);
    const __m512i high = _mm512_permutex2var_epi32(table[2], at, table[3]);
    return _mm512_mask_blend_epi32(_mm512_test_epi32_mask(at, _mm512_set1_epi32(32)), low, high);
  }
};

struct Sum16 {
  const float* x;
  __m512 a[2];
  explicit Sum16(const float* from) : x(from) { a[0] = a[1] = _mm512_setzero_ps(); }
  inline void take(int k, __m512 w) { a[k % 2] = _mm512_fmadd_ps(w, _mm512_loadu_ps(x + 16 * k), a[k % 2]); }
  inline void next(int n) { x += n; }
  inline float total() const { return Sixteen::total(a); }
};

struct Store16 {
  float* out;
  explicit Store16(float* to) : out(to) {}
  inline void take(int k, __m512 w) { _mm512_storeu_ps(out + 16 * k, w); }
  inline void next(int n) { out += n; }
};

// Entries of the four codes in each lane, of which `lanes` count.
template <class Take>
OC_INLINE void six_block(const uint8_t* p, const Wide& table, __mmask16 lanes, Take take) {
  const __m512i shifts = _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 6, 6, 6, 6, 6, 6, 6, 6);
  const __m512i both = _mm512_srlv_epi32(_mm512_broadcast_i64x4(load_sixes(p)), shifts);
  take(0, _mm512_maskz_mov_epi32(lanes, table(both)));
  take(1, _mm512_maskz_mov_epi32(lanes, table(_mm512_srli_epi32(both, 12))));
}

// `along`: columns of a lane.
template <class Take>
OC_INLINE void each_six(const FusedRow& r, int along, const Wide& table, Take take) {
  const int64_t lanes = r.columns / along, blocks = lanes / 8;
  for (int64_t b = 0; b < blocks; ++b) six_block(r.codes + 24 * b, table, 0xffff, take);
  if (lanes % 8 == 0) return;
  const Rest rest(r, 24 * blocks, 3 * (lanes % 8), 32, 1);
  six_block(rest.bytes, table, static_cast<__mmask16>(((1u << lanes % 8) - 1u) * 0x101u), take);
}

template <class Sink>
struct Singles {
  Sink& s;
  inline void operator()(int k, __m512i w) {
    s.take(k, _mm512_castsi512_ps(w));
    if (k == 1) s.next(32);
  }
};

template <class Sink>
struct Doubles {
  Sink& s;
  __m512 scale;
  inline void operator()(int k, __m512i pairs) {
    s.take(2 * k, _mm512_mul_ps(_mm512_cvtph_ps(_mm512_castsi512_si256(pairs)), scale));
    s.take(2 * k + 1, _mm512_mul_ps(_mm512_cvtph_ps(_mm512_extracti64x4_epi64(pairs, 1)), scale));
    if (k == 1) s.next(64);
  }
};

static float table6_dot(const FusedRow& r, const float* x) {
  Sum16 sum(x);
  each_six(r, 4, Wide(r.entries), Singles<Sum16>{sum});
  return sum.total();
}

static void table6_decode(const FusedRow& r, float* out) {
  Store16 store(out);
  each_six(r, 4, Wide(r.entries), Singles<Store16>{store});
}

static float vector6x2_dot(const FusedRow& r, const float* x) {
  Sum16 sum(x);
  each_six(r, 8, Wide(r.table), Doubles<Sum16>{sum, _mm512_set1_ps(r.scales[0])});
  return sum.total();
}

static void vector6x2_decode(const FusedRow& r, float* out) {
  Store16 store(out);
  each_six(r, 8, Wide(r.table), Doubles<Store16>{store, _mm512_set1_ps(r.scales[0])});
}

constexpr SimdSet kSet = {
    "avx512",
    OC_LANES8_KERNELS((FusedKernel{4, 32, arrange_lanes<4, 1>, table6_dot, table6_decode}),
                      (FusedKernel{8, 64, arrange_lanes<4, 2>, vector6x2_dot, vector6x2_decode})),
    block_product<Sixteen, 4>};

}  // namespace
}  // namespace optimum_compile

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

namespace optimum_compile {

const SimdSet* simd_avx512() {
  const bool has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                   __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
  return has ? &kSet : nullptr;
}

}  // namespace optimum_compile

#else

namespace optimum_compile {

const SimdSet* simd_avx512() { return nullptr; }

}  // namespace optimum_compile

#endif
