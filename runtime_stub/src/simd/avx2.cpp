// AVX2: tables of 16 are two permutes of eight floats.
#include "optimum_compile/simd/simd.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#include <string.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c")
#endif

namespace optimum_compile {
namespace {

struct Lookup16 {
  __m256 low, high;
  inline __m256 operator()(__m256i i) const {
    const __m256 is_high = _mm256_castsi256_ps(_mm256_slli_epi32(i, 28));  // bit 3 becomes the sign
    return _mm256_blendv_ps(_mm256_permutevar8x32_ps(low, i), _mm256_permutevar8x32_ps(high, i), is_high);
  }
};

}  // namespace
}  // namespace optimum_compile

#include "optimum_compile/simd/lanes8.h"

namespace optimum_compile {
namespace {

// Codes of six bits: four of them in a lane of three bytes. No register holds their table.
template <class Take>
OC_INLINE void six_block(const uint8_t* p, __m256i there, Take take) {
  __m256i a = load_sixes(p);
  for (int k = 0; k < 4; ++k, a = _mm256_srli_epi32(a, 6)) {
    take(k, _mm256_and_si256(a, _mm256_set1_epi32(63)), there);
  }
}

// `along`: columns of a lane.
template <class Take>
OC_INLINE void each_six(const FusedRow& r, int along, Take take) {
  const int64_t lanes = r.columns / along, blocks = lanes / 8;
  for (int64_t b = 0; b < blocks; ++b) six_block(r.codes + 24 * b, _mm256_set1_epi32(-1), take);
  if (lanes % 8 == 0) return;
  const Rest rest(r, 24 * blocks, 3 * (lanes % 8), 32, 1);
  six_block(rest.bytes, _mm256_castps_si256(first_lanes(lanes % 8)), take);
}

template <class Sink>
struct Singles {
  const float* table;
  Sink& s;
  inline void operator()(int k, __m256i at, __m256i there) {
    s.take(k, _mm256_and_ps(_mm256_i32gather_ps(table, at, 4), _mm256_castsi256_ps(there)));
    if (k == 3) s.next(32);
  }
};

template <class Sink>
struct Doubles {
  const FusedRow& r;
  Sink& s;
  inline void operator()(int k, __m256i at, __m256i there) {
    const __m256 scale = _mm256_set1_ps(r.scales[0]);
    const Pairs pairs(_mm256_and_si256(gather_pairs(r.table, at), there));
    s.take(k % 2 * 2, _mm256_mul_ps(pairs.low, scale));
    s.take(k % 2 * 2 + 1, _mm256_mul_ps(pairs.high, scale));
    if (k % 2 == 1) s.next(32);
  }
};

static float table6_dot(const FusedRow& r, const float* x) {
  Sum sum(x);
  each_six(r, 4, Singles<Sum>{r.entries, sum});
  return sum.total();
}

static void table6_decode(const FusedRow& r, float* out) {
  Store store(out);
  each_six(r, 4, Singles<Store>{r.entries, store});
}

static float vector6x2_dot(const FusedRow& r, const float* x) {
  Sum sum(x);
  each_six(r, 8, Doubles<Sum>{r, sum});
  return sum.total();
}

static void vector6x2_decode(const FusedRow& r, float* out) {
  Store store(out);
  each_six(r, 8, Doubles<Store>{r, store});
}

constexpr SimdSet kSet = {
    "avx2",
    OC_LANES8_KERNELS((FusedKernel{4, 32, arrange_lanes<4, 1>, table6_dot, table6_decode}),
                      (FusedKernel{8, 64, arrange_lanes<4, 2>, vector6x2_dot, vector6x2_decode})),
    block_product<Eight, 1>};

}  // namespace
}  // namespace optimum_compile

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

namespace optimum_compile {

const SimdSet* simd_avx2() {
  // Every processor with AVX2 widens fp16 numbers, too.
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &kSet : nullptr;
}

}  // namespace optimum_compile

#else

namespace optimum_compile {

const SimdSet* simd_avx2() { return nullptr; }

}  // namespace optimum_compile

#endif
