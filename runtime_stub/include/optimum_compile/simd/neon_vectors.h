// The rest of neon.cpp, which includes this among its kernels: codebooks of vectors, products of decoded rows.
#ifndef OPTIMUM_COMPILE_SIMD_NEON_VECTORS_H
#define OPTIMUM_COMPILE_SIMD_NEON_VECTORS_H

// Vectors of two or four numbers; indices are read one by one, as no permute reaches 256 entries. A group is 8
// columns or a multiple.
template <int kWidth, class Sink>
OC_INLINE void each_vector(const FusedRow& r, Sink& s) {
  const float* const e = r.entries;
  int64_t g = 0, end = r.group;
  const auto each = [&](int64_t i, int k, Sink& to) __attribute__((always_inline)) {
    if (i >= end) ++g, end += r.group;
    const uint8_t* const p = r.codes + i / kWidth;
    float32x4_t low, high;
    if (kWidth == 4) {
      low = vld1q_f32(e + 4 * p[0]);
      high = vld1q_f32(e + 4 * p[1]);
    } else {
      low = vcombine_f32(vld1_f32(e + 2 * p[0]), vld1_f32(e + 2 * p[1]));
      high = vcombine_f32(vld1_f32(e + 2 * p[8 / kWidth - 2]), vld1_f32(e + 2 * p[8 / kWidth - 1]));
    }
    to.take(k, vmulq_n_f32(low, r.scales[g]));
    to.take(k + 1, vmulq_n_f32(high, r.scales[g]));
  };
  by_eights(r.columns, each, s);
}

template <int kWidth>
float vector_dot(const FusedRow& r, const float* x) {
  Sum sum(x);
  each_vector<kWidth>(r, sum);
  return sum.total();
}

template <int kWidth>
void vector_decode(const FusedRow& r, float* out) {
  Store store(out);
  each_vector<kWidth>(r, store);
}

// 6-bit indices of pairs: four of them are three bytes. One scale a row.
template <class Sink>
OC_INLINE void each_six(const FusedRow& r, Sink& s) {
  const float* const e = r.entries;
  const auto each = [&](int64_t i, int k, Sink& to) __attribute__((always_inline)) {
    const uint8_t* const p = r.codes + i / 8 * 3;
    const uint32_t word = p[0] | static_cast<uint32_t>(p[1]) << 8 | static_cast<uint32_t>(p[2]) << 16;
    const float32x4_t low = vcombine_f32(vld1_f32(e + 2 * (word & 63)), vld1_f32(e + 2 * (word >> 6 & 63)));
    const float32x4_t high = vcombine_f32(vld1_f32(e + 2 * (word >> 12 & 63)), vld1_f32(e + 2 * (word >> 18)));
    to.take(k, vmulq_n_f32(low, r.scales[0]));
    to.take(k + 1, vmulq_n_f32(high, r.scales[0]));
  };
  by_eights(r.columns, each, s);
}

static float vector6x2_dot(const FusedRow& r, const float* x) {
  Sum sum(x);
  each_six(r, sum);
  return sum.total();
}

static void vector6x2_decode(const FusedRow& r, float* out) {
  Store store(out);
  each_six(r, store);
}

// Products of decoded rows: kRows times kTokens of them, each in sums of its own. They add up as `Sum` does, and so
// give the same numbers, whatever other products are made with them.
template <int kRows, int kTokens>
OC_INLINE void tile(const float* w, int64_t w_stride, const float* x, int64_t x_stride, int64_t n, float* out,
                    int64_t out_stride) {
  float32x4_t sums[kRows][kTokens][4];
  for (int r = 0; r < kRows; ++r) {
    for (int t = 0; t < kTokens; ++t) {
      for (int k = 0; k < 4; ++k) sums[r][t][k] = vdupq_n_f32(0);
    }
  }
  const auto add = [&](int64_t i, int k) __attribute__((always_inline)) {
    float32x4_t left[kRows];
    for (int r = 0; r < kRows; ++r) left[r] = vld1q_f32(w + r * w_stride + i);
    for (int t = 0; t < kTokens; ++t) {
      const float32x4_t right = vld1q_f32(x + t * x_stride + i);
      for (int r = 0; r < kRows; ++r) sums[r][t][k] = vfmaq_f32(sums[r][t][k], left[r], right);
    }
  };
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    for (int k = 0; k < 4; ++k) add(i + 4 * k, k);
  }
  if (i + 8 <= n) {
    add(i, 0);
    add(i + 4, 1);
    i += 8;
  }
  for (int r = 0; r < kRows; ++r) {
    for (int t = 0; t < kTokens; ++t) {
      float sum = total_of(sums[r][t]);
      for (int64_t j = i; j < n; ++j) sum += w[r * w_stride + j] * x[t * x_stride + j];
      out[t * out_stride + r] = sum;
    }
  }
}

template <int kRows>
OC_INLINE void tokens_of(const float* w, int64_t w_stride, const float* x, int64_t x_stride, int64_t tokens,
                         int64_t n, float* out, int64_t out_stride) {
  int64_t t = 0;
  for (; t + 3 <= tokens; t += 3) {
    tile<kRows, 3>(w, w_stride, x + t * x_stride, x_stride, n, out + t * out_stride, out_stride);
  }
  for (; t < tokens; ++t) {
    tile<kRows, 1>(w, w_stride, x + t * x_stride, x_stride, n, out + t * out_stride, out_stride);
  }
}

static void block_product(const float* w, int64_t w_stride, int64_t rows, const float* x, int64_t x_stride,
                          int64_t tokens, int64_t n, float* out, int64_t out_stride) {
  int64_t r = 0;
  for (; r + 2 <= rows; r += 2) {
    tokens_of<2>(w + r * w_stride, w_stride, x, x_stride, tokens, n, out + r, out_stride);
  }
  for (; r < rows; ++r) {
    tokens_of<1>(w + r * w_stride, w_stride, x, x_stride, tokens, n, out + r, out_stride);
  }
}

#endif
