// Weights as indices into a codebook of vectors, times a scale for each row and group.
//
// Indices are packed least significant bit first, without gaps, over the whole row-major matrix
// (rows, columns / width). The codebook may be shared by many matrices.
#ifndef OPTIMUM_COMPILE_VECTORS_H
#define OPTIMUM_COMPILE_VECTORS_H

#include <cstddef>
#include <cstdint>
#include <memory>

#include "optimum_compile/low_bit.h"
#include "optimum_compile/rows.h"

namespace optimum_compile {

// A matrix (rows, columns); vectors follow each other along the columns.
struct VectorMatrix {
  const uint8_t* indices = nullptr;
  size_t index_bytes = 0;
  int bits = 0;   // 1..8
  int width = 0;  // weights of a vector: 2, 4 or 8; it divides the columns
  int64_t rows = 0;
  int64_t columns = 0;
  const uint16_t* table = nullptr;  // fp16 (2^bits, width)
  size_t table_entries = 0;
  int64_t group = 0;  // columns that share a scale, a multiple of the width

  // Scales (rows, groups) fp16 ...
  const uint16_t* scales = nullptr;
  size_t scale_entries = 0;
  // ... or of two levels, as in PackedMatrix.
  const uint8_t* scale_codes = nullptr;
  size_t scale_code_bytes = 0;
  int scale_bits = 0;
  const uint16_t* supers = nullptr;
  size_t super_entries = 0;
};

// Whether every size of `m` holds: everything below relies on it.
Status check(const VectorMatrix& m);

// out (count, rows) = x (count, columns) @ m^T, accumulated in float32.
Status linear(const VectorMatrix& m, const float* x, int64_t count, float* out);

// out (count, columns) = rows `ids` of m.
Status lookup(const VectorMatrix& m, const int64_t* ids, int64_t count, float* out);

// A reader of its rows as float32.
Status open_rows(const VectorMatrix& m, std::unique_ptr<RowReader>* out);

}  // namespace optimum_compile

#endif
