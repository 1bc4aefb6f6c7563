// Weights of any width in one matrix: bit planes and a table for each width.
//
// A plane has one bit a weight in row-major order, least significant bit first, and begins with a byte
// of its own; the leading bits of all codes are the first plane. Reading at `width` bits touches the
// first `width` planes and the tables of that width only.
#ifndef OPTIMUM_COMPILE_NESTED_H
#define OPTIMUM_COMPILE_NESTED_H

#include <cstddef>
#include <cstdint>
#include <memory>

#include "optimum_compile/low_bit.h"
#include "optimum_compile/rows.h"

namespace optimum_compile {

// A matrix (rows, columns) that can be read at every width from seed_bits to bits.
struct NestedMatrix {
  const uint8_t* planes = nullptr;  // (bits, bytes of a plane)
  size_t plane_bytes = 0;           // of all planes
  const uint16_t* tables = nullptr;  // fp16, width after width: (ceil(rows / rows_per_table), 2^width)
  size_t table_entries = 0;          // of all widths
  int seed_bits = 0;                 // 1..bits
  int bits = 0;                      // ..8
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t rows_per_table = 0;
};

// Whether every size of `m` holds, and `width` is one of its widths.
Status check(const NestedMatrix& m, int64_t width);

// out (count, rows) = x (count, columns) @ m^T at `width` bits, accumulated in float32.
Status linear(const NestedMatrix& m, int64_t width, const float* x, int64_t count, float* out);

// out (count, columns) = rows `ids` of m at `width` bits.
Status lookup(const NestedMatrix& m, int64_t width, const int64_t* ids, int64_t count, float* out);

// A reader of its rows as float32.
Status open_rows(const NestedMatrix& m, int64_t width, std::unique_ptr<RowReader>* out);

}  // namespace optimum_compile

#endif
