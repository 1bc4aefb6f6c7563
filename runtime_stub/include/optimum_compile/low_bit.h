// Linear layers and table lookups on weights that stay packed: the portable part, no dependencies.
//
// Codes are packed least significant bit first, without gaps, over the whole row-major matrix:
// code i occupies bits i*bits .. i*bits+bits-1 of the stream.
#ifndef OPTIMUM_COMPILE_LOW_BIT_H
#define OPTIMUM_COMPILE_LOW_BIT_H

#include <cstddef>
#include <cstdint>
#include <memory>

#include "optimum_compile/rows.h"

namespace optimum_compile {

enum class Status : int32_t {
  ok = 0,
  bad_bits,
  bad_shape,
  too_short,
  bad_group,
  bad_index,
  bad_parts,
  bad_width,
  bad_position,
  bad_alignment
};

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

  // Integer grid: scales (rows, groups) fp16; zeros (rows, groups), packed codes of `zero_bits` bits,
  // or null where codes are signed. More bits than codes have are a fraction.
  const uint16_t* scales = nullptr;
  size_t scale_entries = 0;
  const uint8_t* zeros = nullptr;
  size_t zero_bytes = 0;
  int zero_bits = 0;  // bits..8
  int64_t group = 0;  // columns that share a scale; the last group of a row may be shorter

  // Fp16 zero points (rows, groups) instead of `zeros`.
  const uint16_t* half_zeros = nullptr;
  size_t half_zero_entries = 0;

  // Two levels instead of `scales`: packed codes (rows, groups) of `scale_bits` bits, and a number
  // fp16 for each row; the scale is their product, rounded to fp16.
  const uint8_t* scale_codes = nullptr;
  size_t scale_code_bytes = 0;
  int scale_bits = 0;
  const uint16_t* supers = nullptr;
  size_t super_entries = 0;

  // E0M4 (bits = 4): offsets (rows, groups) fp16; weight = scale * (1 + code / 16) + offset.
  const uint16_t* offsets = nullptr;
  size_t offset_entries = 0;

  // Outliers: for each run of `run` columns of a row a count (1 byte where run is 128, 4 where it is
  // 65536), and an index inside its run for each outlier (7 bits or 16), all packed as codes are.
  const uint8_t* counts = nullptr;
  size_t count_bytes = 0;
  const uint8_t* places = nullptr;
  size_t place_bytes = 0;
  int64_t run = 0;
  // What an outlier adds to the weight at its place, fp16 (outliers) ...
  const uint16_t* values = nullptr;
  size_t value_entries = 0;
  // ... or the scales (rows, groups) fp16 that its code is read with instead. Signed grids only.
  const uint16_t* outlier_scales = nullptr;
  size_t outlier_scale_entries = 0;
};

// Whether every size of `m` holds: everything below relies on it.
Status check(const PackedMatrix& m);

// out (count, rows) = x (count, columns) @ m^T, accumulated in float32.
Status linear(const PackedMatrix& m, const float* x, int64_t count, float* out);

// out (count, columns) = rows `ids` of m.
Status lookup(const PackedMatrix& m, const int64_t* ids, int64_t count, float* out);

// A reader of its rows as float32.
Status open_rows(const PackedMatrix& m, std::unique_ptr<RowReader>* out);

// A reader of the rows of fp16 weights, which have to stay.
void open_halves(const uint16_t* w, int64_t rows, int64_t columns, std::unique_ptr<RowReader>* out);

// `linear` and `lookup` for fp16 weights (rows, columns).
Status linear_f16(const uint16_t* w, int64_t rows, int64_t columns, const float* x, int64_t count,
                  float* out);
Status lookup_f16(const uint16_t* w, int64_t rows, int64_t columns, const int64_t* ids,
                  int64_t count, float* out);

}  // namespace optimum_compile

#endif
