// Linear layers and table lookups on weights that stay packed: the portable part, no dependencies.
//
// Codes are packed least significant bit first, without gaps, over the whole row-major matrix:
// code i occupies bits i*bits .. i*bits+bits-1 of the stream.
#ifndef OPTIMUM_COMPILE_LOW_BIT_H
#define OPTIMUM_COMPILE_LOW_BIT_H

#include <cstddef>
#include <cstdint>

namespace optimum_compile {

enum class Status : int32_t { ok = 0, bad_bits, bad_shape, too_short, bad_group, bad_index };

const char* message(Status status);

// A matrix (rows, columns) whose weights are packed codes.
struct PackedMatrix {
  const uint8_t* codes = nullptr;
  size_t code_bytes = 0;
  int bits = 0;  // 1..8
  int64_t rows = 0;
  int64_t columns = 0;

  // Palette: table (ceil(rows / rows_per_table), 2^bits) fp16. Null for an integer grid.
  const uint16_t* table = nullptr;
  size_t table_entries = 0;
  int64_t rows_per_table = 0;

  // Integer grid: scales (rows, groups) fp16; zeros (rows, groups) or null where codes are signed.
  const uint16_t* scales = nullptr;
  size_t scale_entries = 0;
  const uint8_t* zeros = nullptr;
  size_t zero_entries = 0;
  int64_t group = 0;  // columns that share a scale; the last group of a row may be shorter
};

// Whether every size of `m` holds: everything below relies on it.
Status check(const PackedMatrix& m);

// out (count, rows) = x (count, columns) @ m^T, accumulated in float32.
Status linear(const PackedMatrix& m, const float* x, int64_t count, float* out);

// out (count, columns) = rows `ids` of m.
Status lookup(const PackedMatrix& m, const int64_t* ids, int64_t count, float* out);

// The same two for fp16 weights (rows, columns).
Status linear_f16(const uint16_t* w, int64_t rows, int64_t columns, const float* x, int64_t count,
                  float* out);
Status lookup_f16(const uint16_t* w, int64_t rows, int64_t columns, const int64_t* ids,
                  int64_t count, float* out);

}  // namespace optimum_compile

#endif
