// The packed operators, registered with an ExecuTorch runtime. Build it with an app's own ExecuTorch,
// or as a shared library beside the stock Python runtime (runtime_stub/build.py).
#include <executorch/extension/kernel_util/make_boxed_from_unboxed_functor.h>
#include <executorch/runtime/kernel/kernel_includes.h>
#include <executorch/runtime/kernel/operator_registry.h>

#include "optimum_compile/low_bit.h"

namespace {

using executorch::aten::ArrayRef;
using executorch::aten::ScalarType;
using executorch::aten::SizesType;
using executorch::aten::Tensor;
using executorch::runtime::Error;
using executorch::runtime::KernelRuntimeContext;
using optimum_compile::PackedMatrix;
using optimum_compile::Status;

constexpr ssize_t kMaxRank = 8;

bool fail(KernelRuntimeContext& ctx, const char* what) {
  ET_LOG(Error, "optimum_compile_rt: %s", what);
  ctx.fail(Error::InvalidArgument);
  return false;
}

bool done(KernelRuntimeContext& ctx, Status status) {
  return status == Status::ok || fail(ctx, optimum_compile::message(status));
}

// Resize `out` to the shape of `x` with the last axis replaced, or appended.
bool shape_out(KernelRuntimeContext& ctx, const Tensor& x, int64_t width, bool append, Tensor& out) {
  const ssize_t kept = append ? x.dim() : x.dim() - 1;
  if (kept < 0 || kept + 1 > kMaxRank) return fail(ctx, "rank is out of range");
  if (width < 0 || width > INT32_MAX) return fail(ctx, "width is out of range");
  if (out.scalar_type() != ScalarType::Float) return fail(ctx, "out must be float32");
  SizesType sizes[kMaxRank];
  for (ssize_t i = 0; i < kept; ++i) sizes[i] = x.size(i);
  sizes[kept] = static_cast<SizesType>(width);
  if (executorch::runtime::resize_tensor(out, ArrayRef<SizesType>(sizes, kept + 1)) != Error::Ok) {
    return fail(ctx, "out cannot have the needed shape");
  }
  return true;
}

bool check_x(KernelRuntimeContext& ctx, const Tensor& x, int64_t columns) {
  if (x.scalar_type() != ScalarType::Float) return fail(ctx, "x must be float32");
  if (x.dim() < 1 || x.size(x.dim() - 1) != columns) return fail(ctx, "x has the wrong width");
  return true;
}

const uint16_t* halves(const Tensor& t) { return static_cast<const uint16_t*>(t.const_data_ptr()); }

bool palette(KernelRuntimeContext& ctx, const Tensor& codes, const Tensor& table, int64_t bits,
             int64_t rows, int64_t columns, int64_t rows_per_table, PackedMatrix& m) {
  if (codes.scalar_type() != ScalarType::Byte) return fail(ctx, "codes must be uint8");
  if (table.scalar_type() != ScalarType::Half) return fail(ctx, "table must be float16");
  if (bits < 1 || bits > 8) return fail(ctx, "bits must be 1 to 8");
  m.codes = codes.const_data_ptr<uint8_t>();
  m.code_bytes = codes.nbytes();
  m.bits = static_cast<int>(bits);
  m.rows = rows;
  m.columns = columns;
  m.table = halves(table);
  m.table_entries = table.numel();
  m.rows_per_table = rows_per_table;
  return done(ctx, check(m));
}

bool grid(KernelRuntimeContext& ctx, const Tensor& codes, const Tensor& scales, const Tensor& zeros,
          int64_t bits, int64_t rows, int64_t columns, int64_t group, bool symmetric,
          PackedMatrix& m) {
  if (codes.scalar_type() != ScalarType::Byte) return fail(ctx, "codes must be uint8");
  if (scales.scalar_type() != ScalarType::Half) return fail(ctx, "scales must be float16");
  if (!symmetric && zeros.scalar_type() != ScalarType::Byte) return fail(ctx, "zeros must be uint8");
  if (bits < 2 || bits > 8) return fail(ctx, "bits must be 2 to 8");
  m.codes = codes.const_data_ptr<uint8_t>();
  m.code_bytes = codes.nbytes();
  m.bits = static_cast<int>(bits);
  m.rows = rows;
  m.columns = columns;
  m.scales = halves(scales);
  m.scale_entries = scales.numel();
  m.group = group;
  if (!symmetric) {
    m.zeros = zeros.const_data_ptr<uint8_t>();
    m.zero_entries = zeros.numel();
  }
  return done(ctx, check(m));
}

Tensor& run_linear(KernelRuntimeContext& ctx, const PackedMatrix& m, const Tensor& x, Tensor& out) {
  if (!check_x(ctx, x, m.columns) || !shape_out(ctx, x, m.rows, false, out)) return out;
  const int64_t count = m.columns == 0 ? 0 : x.numel() / m.columns;
  done(ctx, linear(m, x.const_data_ptr<float>(), count, out.mutable_data_ptr<float>()));
  return out;
}

Tensor& run_lookup(KernelRuntimeContext& ctx, const PackedMatrix& m, const Tensor& ids, Tensor& out) {
  if (ids.scalar_type() != ScalarType::Long) {
    fail(ctx, "ids must be int64");
    return out;
  }
  if (!shape_out(ctx, ids, m.columns, true, out)) return out;
  done(ctx, lookup(m, ids.const_data_ptr<int64_t>(), ids.numel(), out.mutable_data_ptr<float>()));
  return out;
}

Tensor& linear_lut_out(KernelRuntimeContext& ctx, const Tensor& x, const Tensor& codes,
                       const Tensor& table, int64_t bits, int64_t rows, int64_t columns,
                       int64_t rows_per_table, Tensor& out) {
  PackedMatrix m;
  if (!palette(ctx, codes, table, bits, rows, columns, rows_per_table, m)) return out;
  return run_linear(ctx, m, x, out);
}

Tensor& linear_affine_out(KernelRuntimeContext& ctx, const Tensor& x, const Tensor& codes,
                          const Tensor& scales, const Tensor& zeros, int64_t bits, int64_t rows,
                          int64_t columns, int64_t group, bool symmetric, Tensor& out) {
  PackedMatrix m;
  if (!grid(ctx, codes, scales, zeros, bits, rows, columns, group, symmetric, m)) return out;
  return run_linear(ctx, m, x, out);
}

Tensor& embedding_lut_out(KernelRuntimeContext& ctx, const Tensor& ids, const Tensor& codes,
                          const Tensor& table, int64_t bits, int64_t rows, int64_t columns,
                          int64_t rows_per_table, Tensor& out) {
  PackedMatrix m;
  if (!palette(ctx, codes, table, bits, rows, columns, rows_per_table, m)) return out;
  return run_lookup(ctx, m, ids, out);
}

Tensor& embedding_affine_out(KernelRuntimeContext& ctx, const Tensor& ids, const Tensor& codes,
                             const Tensor& scales, const Tensor& zeros, int64_t bits, int64_t rows,
                             int64_t columns, int64_t group, bool symmetric, Tensor& out) {
  PackedMatrix m;
  if (!grid(ctx, codes, scales, zeros, bits, rows, columns, group, symmetric, m)) return out;
  return run_lookup(ctx, m, ids, out);
}

bool check_f16(KernelRuntimeContext& ctx, const Tensor& weight) {
  if (weight.scalar_type() != ScalarType::Half) return fail(ctx, "weight must be float16");
  return weight.dim() == 2 || fail(ctx, "weight must have two axes");
}

Tensor& linear_f16_out(KernelRuntimeContext& ctx, const Tensor& x, const Tensor& weight, Tensor& out) {
  if (!check_f16(ctx, weight)) return out;
  const int64_t rows = weight.size(0), columns = weight.size(1);
  if (!check_x(ctx, x, columns) || !shape_out(ctx, x, rows, false, out)) return out;
  const int64_t count = columns == 0 ? 0 : x.numel() / columns;
  done(ctx, optimum_compile::linear_f16(halves(weight), rows, columns, x.const_data_ptr<float>(),
                                        count, out.mutable_data_ptr<float>()));
  return out;
}

Tensor& embedding_f16_out(KernelRuntimeContext& ctx, const Tensor& ids, const Tensor& weight,
                          Tensor& out) {
  if (!check_f16(ctx, weight)) return out;
  if (ids.scalar_type() != ScalarType::Long) {
    fail(ctx, "ids must be int64");
    return out;
  }
  if (!shape_out(ctx, ids, weight.size(1), true, out)) return out;
  done(ctx, optimum_compile::lookup_f16(halves(weight), weight.size(0), weight.size(1),
                                        ids.const_data_ptr<int64_t>(), ids.numel(),
                                        out.mutable_data_ptr<float>()));
  return out;
}

}  // namespace

EXECUTORCH_LIBRARY(optimum_compile_rt, "linear_lut.out", linear_lut_out);
EXECUTORCH_LIBRARY(optimum_compile_rt, "linear_affine.out", linear_affine_out);
EXECUTORCH_LIBRARY(optimum_compile_rt, "linear_f16.out", linear_f16_out);
EXECUTORCH_LIBRARY(optimum_compile_rt, "embedding_lut.out", embedding_lut_out);
EXECUTORCH_LIBRARY(optimum_compile_rt, "embedding_affine.out", embedding_affine_out);
EXECUTORCH_LIBRARY(optimum_compile_rt, "embedding_f16.out", embedding_f16_out);
