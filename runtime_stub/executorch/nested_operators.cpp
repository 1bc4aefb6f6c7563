// The operators on nested weights; the width is an input, so a caller may choose another at every step.
#include <executorch/extension/kernel_util/make_boxed_from_unboxed_functor.h>
#include <executorch/runtime/kernel/kernel_includes.h>
#include <executorch/runtime/kernel/operator_registry.h>

#include <algorithm>

#include "optimum_compile/arguments.h"
#include "optimum_compile/nested.h"

namespace {

using namespace optimum_compile;

bool nested(KernelRuntimeContext& ctx, const Tensor& planes, const Tensor& tables, int64_t seed_bits,
            int64_t bits, int64_t rows, int64_t columns, int64_t rows_per_table, NestedMatrix& m) {
  if (!check_kind(ctx, planes, ScalarType::Byte, "planes must be uint8")) return false;
  if (!check_kind(ctx, tables, ScalarType::Half, "tables must be float16")) return false;
  if (seed_bits < 1 || bits > 8 || seed_bits > bits) return fail(ctx, "bits must be 1 to 8");
  m.planes = planes.const_data_ptr<uint8_t>();
  m.plane_bytes = planes.nbytes();
  m.tables = halves(tables);
  m.table_entries = static_cast<size_t>(tables.numel());
  m.seed_bits = static_cast<int>(seed_bits);
  m.bits = static_cast<int>(bits);
  m.rows = rows;
  m.columns = columns;
  m.rows_per_table = rows_per_table;
  return done(ctx, check(m, bits));
}

// Bits to read: all of them where nothing chooses, or 0 does; else the nearest number that there is, for one
// width goes to weights of several.
bool chosen(KernelRuntimeContext& ctx, Part width, const NestedMatrix& m, int64_t* out) {
  *out = m.bits;
  if (!width.has_value()) return true;
  if (!check_kind(ctx, *width, ScalarType::Long, "width must be int64")) return false;
  if (width->numel() != 1) return fail(ctx, "width must be one number");
  const int64_t wanted = *width->const_data_ptr<int64_t>();
  if (wanted < 0 || wanted > 8) return done(ctx, Status::bad_width);
  if (wanted > 0) *out = std::min<int64_t>(std::max<int64_t>(wanted, m.seed_bits), m.bits);
  return true;
}

Tensor& linear_nested_out(KernelRuntimeContext& ctx, const Tensor& x, const Tensor& planes,
                          const Tensor& tables, Part width, int64_t seed_bits, int64_t bits,
                          int64_t rows, int64_t columns, int64_t rows_per_table, Tensor& out) {
  NestedMatrix m;
  int64_t wide = 0;
  if (!nested(ctx, planes, tables, seed_bits, bits, rows, columns, rows_per_table, m)) return out;
  if (!chosen(ctx, width, m, &wide)) return out;
  if (!check_x(ctx, x, columns) || !shape_out(ctx, x, rows, false, out)) return out;
  const int64_t count = columns == 0 ? 0 : x.numel() / columns;
  done(ctx, linear(m, wide, x.const_data_ptr<float>(), count, out.mutable_data_ptr<float>()));
  return out;
}

Tensor& embedding_nested_out(KernelRuntimeContext& ctx, const Tensor& ids, const Tensor& planes,
                             const Tensor& tables, Part width, int64_t seed_bits, int64_t bits,
                             int64_t rows, int64_t columns, int64_t rows_per_table, Tensor& out) {
  NestedMatrix m;
  int64_t wide = 0;
  if (!nested(ctx, planes, tables, seed_bits, bits, rows, columns, rows_per_table, m)) return out;
  if (!chosen(ctx, width, m, &wide)) return out;
  if (!check_kind(ctx, ids, ScalarType::Long, "ids must be int64")) return out;
  if (!shape_out(ctx, ids, columns, true, out)) return out;
  const int64_t* rows_wanted = ids.const_data_ptr<int64_t>();
  done(ctx, lookup(m, wide, rows_wanted, ids.numel(), out.mutable_data_ptr<float>()));
  return out;
}

}  // namespace

EXECUTORCH_LIBRARY(optimum_compile_rt, "linear_nested.out", linear_nested_out);
EXECUTORCH_LIBRARY(optimum_compile_rt, "embedding_nested.out", embedding_nested_out);
