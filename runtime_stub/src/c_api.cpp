// C functions over the portable kernels; every one returns a Status as an int.
#include "optimum_compile/low_bit.h"
#include "optimum_compile/nested.h"
#include "optimum_compile/simd/simd.h"
#include "optimum_compile/vectors.h"

using optimum_compile::NestedMatrix;
using optimum_compile::PackedMatrix;
using optimum_compile::VectorMatrix;

namespace {

PackedMatrix matrix(const uint8_t* codes, size_t code_bytes, int bits, int64_t rows, int64_t columns) {
  PackedMatrix m;
  m.codes = codes;
  m.code_bytes = code_bytes;
  m.bits = bits;
  m.rows = rows;
  m.columns = columns;
  return m;
}

// 1 where rows of a matrix are multiplied as they lie.
template <typename... Arguments>
int has_kernel(const Arguments&... arguments) {
  std::unique_ptr<optimum_compile::RowReader> reader;
  const bool open = optimum_compile::open_rows(arguments..., &reader) == optimum_compile::Status::ok;
  return open && reader->kernel() != nullptr ? 1 : 0;
}

}  // namespace

extern "C" {

int oc_linear_lut(const uint8_t* codes, size_t code_bytes, int bits, int64_t rows, int64_t columns,
                  const uint16_t* table, size_t entries, int64_t rows_per_table, const float* x,
                  int64_t count, float* out) {
  PackedMatrix m = matrix(codes, code_bytes, bits, rows, columns);
  m.table = table;
  m.table_entries = entries;
  m.rows_per_table = rows_per_table;
  return static_cast<int>(optimum_compile::linear(m, x, count, out));
}

int oc_linear_affine(const uint8_t* codes, size_t code_bytes, int bits, int64_t rows,
                     int64_t columns, const uint16_t* scales, size_t scale_entries,
                     const uint8_t* zeros, size_t zero_bytes, int64_t group, const float* x,
                     int64_t count, float* out) {
  PackedMatrix m = matrix(codes, code_bytes, bits, rows, columns);
  m.scales = scales;
  m.scale_entries = scale_entries;
  m.zeros = zeros;
  m.zero_bytes = zero_bytes;
  m.zero_bits = bits;
  m.group = group;
  return static_cast<int>(optimum_compile::linear(m, x, count, out));
}

int oc_lookup_lut(const uint8_t* codes, size_t code_bytes, int bits, int64_t rows, int64_t columns,
                  const uint16_t* table, size_t entries, int64_t rows_per_table, const int64_t* ids,
                  int64_t count, float* out) {
  PackedMatrix m = matrix(codes, code_bytes, bits, rows, columns);
  m.table = table;
  m.table_entries = entries;
  m.rows_per_table = rows_per_table;
  return static_cast<int>(optimum_compile::lookup(m, ids, count, out));
}

int oc_linear(const PackedMatrix* m, const float* x, int64_t count, float* out) {
  return static_cast<int>(optimum_compile::linear(*m, x, count, out));
}

int oc_lookup(const PackedMatrix* m, const int64_t* ids, int64_t count, float* out) {
  return static_cast<int>(optimum_compile::lookup(*m, ids, count, out));
}

int oc_nested_linear(const NestedMatrix* m, int64_t width, const float* x, int64_t count, float* out) {
  return static_cast<int>(optimum_compile::linear(*m, width, x, count, out));
}

int oc_nested_lookup(const NestedMatrix* m, int64_t width, const int64_t* ids, int64_t count,
                     float* out) {
  return static_cast<int>(optimum_compile::lookup(*m, width, ids, count, out));
}

int oc_vector_linear(const VectorMatrix* m, const float* x, int64_t count, float* out) {
  return static_cast<int>(optimum_compile::linear(*m, x, count, out));
}

int oc_vector_lookup(const VectorMatrix* m, const int64_t* ids, int64_t count, float* out) {
  return static_cast<int>(optimum_compile::lookup(*m, ids, count, out));
}

int oc_linear_f16(const uint16_t* w, int64_t rows, int64_t columns, const float* x, int64_t count,
                  float* out) {
  return static_cast<int>(optimum_compile::linear_f16(w, rows, columns, x, count, out));
}

// The instructions that kernels use from now on; null: the best ones. 0 where there are no such ones here.
int oc_use_simd(const char* name) { return optimum_compile::use_simd(name) ? 1 : 0; }

const char* oc_simd() {
  const optimum_compile::SimdSet* const set = optimum_compile::simd();
  return set == nullptr ? "portable" : set->name;
}

int oc_fused(const PackedMatrix* m) { return has_kernel(*m); }
int oc_nested_fused(const NestedMatrix* m, int64_t width) { return has_kernel(*m, width); }
int oc_vector_fused(const VectorMatrix* m) { return has_kernel(*m); }

}  // extern "C"
