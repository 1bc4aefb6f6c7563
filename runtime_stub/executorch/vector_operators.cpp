// The operators on weights of vectors.
#include <executorch/extension/kernel_util/make_boxed_from_unboxed_functor.h>
#include <executorch/runtime/kernel/kernel_includes.h>
#include <executorch/runtime/kernel/operator_registry.h>

#include "optimum_compile/arguments.h"
#include "optimum_compile/vectors.h"

namespace {

using namespace optimum_compile;

bool vectors(KernelRuntimeContext& ctx, const Tensor& indices, const Tensor& table,
             const Tensor& scales, int64_t bits, int64_t width, int64_t rows, int64_t columns,
             int64_t group, int64_t scale_bits, Part supers, VectorMatrix& m) {
  if (!check_kind(ctx, indices, ScalarType::Byte, "indices must be uint8")) return false;
  if (!check_kind(ctx, table, ScalarType::Half, "the codebook must be float16")) return false;
  if (bits < 1 || bits > 8 || width < 2 || width > 8 || scale_bits < 0 || scale_bits > 8) {
    return fail(ctx, "bits must be 1 to 8, the width of vectors 2, 4 or 8");
  }
  m.indices = indices.const_data_ptr<uint8_t>();
  m.index_bytes = indices.nbytes();
  m.bits = static_cast<int>(bits);
  m.width = static_cast<int>(width);
  m.rows = rows;
  m.columns = columns;
  m.table = halves(table);
  m.table_entries = static_cast<size_t>(table.numel());
  m.group = group;
  if (scale_bits == 0) {
    if (!check_kind(ctx, scales, ScalarType::Half, "scales must be float16")) return false;
    m.scales = halves(scales);
    m.scale_entries = static_cast<size_t>(scales.numel());
    return done(ctx, check(m));
  }
  if (!check_kind(ctx, scales, ScalarType::Byte, "scale codes must be uint8")) return false;
  if (!supers.has_value()) return fail(ctx, "scale codes need a number for each row");
  if (!check_kind(ctx, *supers, ScalarType::Half, "supers must be float16")) return false;
  m.scale_codes = scales.const_data_ptr<uint8_t>();
  m.scale_code_bytes = scales.nbytes();
  m.scale_bits = static_cast<int>(scale_bits);
  m.supers = halves(*supers);
  m.super_entries = static_cast<size_t>(supers->numel());
  return done(ctx, check(m));
}

Tensor& linear_vec_out(KernelRuntimeContext& ctx, const Tensor& x, const Tensor& indices,
                       const Tensor& table, const Tensor& scales, int64_t bits, int64_t width,
                       int64_t rows, int64_t columns, int64_t group, int64_t scale_bits, Part supers,
                       Tensor& out) {
  VectorMatrix m;
  if (!vectors(ctx, indices, table, scales, bits, width, rows, columns, group, scale_bits, supers, m)) {
    return out;
  }
  if (!check_x(ctx, x, columns) || !shape_out(ctx, x, rows, false, out)) return out;
  const int64_t count = columns == 0 ? 0 : x.numel() / columns;
  done(ctx, linear(m, x.const_data_ptr<float>(), count, out.mutable_data_ptr<float>()));
  return out;
}

Tensor& embedding_vec_out(KernelRuntimeContext& ctx, const Tensor& ids, const Tensor& indices,
                          const Tensor& table, const Tensor& scales, int64_t bits, int64_t width,
                          int64_t rows, int64_t columns, int64_t group, int64_t scale_bits,
                          Part supers, Tensor& out) {
  VectorMatrix m;
  if (!vectors(ctx, indices, table, scales, bits, width, rows, columns, group, scale_bits, supers, m)) {
    return out;
  }
  if (!check_kind(ctx, ids, ScalarType::Long, "ids must be int64")) return out;
  if (!shape_out(ctx, ids, columns, true, out)) return out;
  done(ctx, lookup(m, ids.const_data_ptr<int64_t>(), ids.numel(), out.mutable_data_ptr<float>()));
  return out;
}

}  // namespace

EXECUTORCH_LIBRARY(optimum_compile_rt, "linear_vec.out", linear_vec_out);
EXECUTORCH_LIBRARY(optimum_compile_rt, "embedding_vec.out", embedding_vec_out);
