// Kernels for the instructions of a processor: a packed row times a vector without a decoded row in memory.
//
// A register has lanes, and each of them takes a few neighbouring codes of a row, which shifts bring down one
// after the other. So the codes come in another order than they lie in; x is put into the same order once for
// all rows. Where a set has no kernel for a weight, rows are decoded in plain code (rows.h).
#ifndef OPTIMUM_COMPILE_SIMD_H
#define OPTIMUM_COMPILE_SIMD_H

#include <cstdint>

namespace optimum_compile {

// What a row is made of.
enum class RowKind : int {
  nested2 = 0,  // bit planes and a table of 4, 8, 16 entries
  nested3,
  nested4,
  table2,  // packed codes and a table
  table3,
  table4,
  table6,
  grid4,  // packed codes, scales and zero points
  grid8,
  half,      // fp16 numbers
  vector8x4,  // indices of 8 bits into a codebook of vectors of four numbers, as vec8x4
  vector8x2,
  vector6x2,
  count
};
constexpr int kRowKinds = static_cast<int>(RowKind::count);

// One row. Which fields mean something depends on its kind.
struct FusedRow {
  const uint8_t* codes = nullptr;  // of the row; its bits of the first plane
  int64_t plane = 0;               // bytes from one plane to the next
  int64_t columns = 0;
  const uint16_t* table = nullptr;  // fp16: the table, the codebook, or the row itself
  const float* entries = nullptr;   // the same of table6 and vector8x4 as float32
  const float* scales = nullptr;   // of the groups; 8 floats more can be read
  const float* zeros = nullptr;    // the same; null: codes are signed
  int64_t group = 0;               // columns that share a scale; of grid4 8, 16, 32 or a multiple of 64; else a multiple of 32
};

// The product with one kind of row. Weights are the very numbers that plain code decodes; only the order of the
// sums is another one, and the same for one token and for many.
struct FusedKernel {
  int64_t multiple = 1;  // columns that it takes: multiples of this
  int64_t block = 0;     // columns of a block, in which x has another order; 0: it keeps its own
  // x in that order, whole blocks of it; columns that the last one lacks are 0.
  void (*arrange)(const float* x, int64_t columns, float* out) = nullptr;
  float (*dot)(const FusedRow& row, const float* x) = nullptr;
  // The row in that order into `out`, whole blocks of it.
  void (*decode)(const FusedRow& row, float* out) = nullptr;
};

// out[t * out_stride + r] = products of rows of w and rows of x, n numbers each. A product is the same number
// whatever other rows and tokens there are in the call, and the one that `dot` gives.
using BlockProduct = void (*)(const float* w, int64_t w_stride, int64_t rows, const float* x, int64_t x_stride,
                              int64_t tokens, int64_t n, float* out, int64_t out_stride);

struct SimdSet {
  const char* name;
  FusedKernel kernels[kRowKinds];  // `dot` is null where there is none
  BlockProduct block;
};

// The best set that this processor has, or the one of the environment variable OC_SIMD: portable, avx2, avx512,
// neon. Null: plain code only.
const SimdSet* simd();

// Take another set from now on, for tests and measurements; null: the best one. False where there is no such set.
bool use_simd(const char* name);

// By instruction set; null where this build or this processor has not got it.
const SimdSet* simd_avx2();
const SimdSet* simd_avx512();
const SimdSet* simd_neon();

}  // namespace optimum_compile

#endif
