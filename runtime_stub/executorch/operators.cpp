// The packed operators, registered with an ExecuTorch runtime. Build it with an app's own ExecuTorch,
// or as a shared library beside the stock Python runtime (runtime_stub/build.py).
#include <executorch/extension/kernel_util/make_boxed_from_unboxed_functor.h>
#include <executorch/runtime/kernel/kernel_includes.h>
#include <executorch/runtime/kernel/operator_registry.h>

#include "optimum_compile/arguments.h"

namespace {

using namespace optimum_compile;

bool start(KernelRuntimeContext& ctx, const Tensor& codes, int64_t bits, int64_t rows,
           int64_t columns, PackedMatrix& m) {
  if (!check_kind(ctx, codes, ScalarType::Byte, "codes must be uint8")) return false;
  if (bits < 1 || bits > 8) return fail(ctx, "bits must be 1 to 8");
  m.codes = codes.const_data_ptr<uint8_t>();
  m.code_bytes = codes.nbytes();
  m.bits = static_cast<int>(bits);
  m.rows = rows;
  m.columns = columns;
  return true;
}

// Outliers, where there are any: counts and places, and values to add or scales to read codes with.
bool outliers(KernelRuntimeContext& ctx, int64_t run, Part counts, Part places, Part values,
              Part scales, PackedMatrix& m) {
  if (!counts.has_value()) return done(ctx, check(m));
  if (!places.has_value()) return fail(ctx, "outliers need places");
  if (!check_kind(ctx, *counts, ScalarType::Byte, "counts must be uint8")) return false;
  if (!check_kind(ctx, *places, ScalarType::Byte, "places must be uint8")) return false;
  m.run = run;
  m.counts = counts->const_data_ptr<uint8_t>();
  m.count_bytes = counts->nbytes();
  m.places = places->const_data_ptr<uint8_t>();
  m.place_bytes = places->nbytes();
  if (values.has_value()) {
    if (!check_kind(ctx, *values, ScalarType::Half, "values must be float16")) return false;
    m.values = halves(*values);
    m.value_entries = values->numel();
  }
  if (scales.has_value()) {
    if (!check_kind(ctx, *scales, ScalarType::Half, "scales must be float16")) return false;
    m.outlier_scales = halves(*scales);
    m.outlier_scale_entries = scales->numel();
  }
  return done(ctx, check(m));
}

bool palette(KernelRuntimeContext& ctx, const Tensor& codes, const Tensor& table, int64_t bits,
             int64_t rows, int64_t columns, int64_t rows_per_table, int64_t run, Part counts,
             Part places, Part values, PackedMatrix& m) {
  if (!check_kind(ctx, table, ScalarType::Half, "table must be float16")) return false;
  if (!start(ctx, codes, bits, rows, columns, m)) return false;
  m.table = halves(table);
  m.table_entries = table.numel();
  m.rows_per_table = rows_per_table;
  return outliers(ctx, run, counts, places, values, optional<Tensor>(), m);
}

bool scales_of(KernelRuntimeContext& ctx, const Tensor& scales, int64_t scale_bits, Part supers,
               PackedMatrix& m) {
  if (scale_bits == 0) {
    if (!check_kind(ctx, scales, ScalarType::Half, "scales must be float16")) return false;
    m.scales = halves(scales);
    m.scale_entries = scales.numel();
    return true;
  }
  if (scale_bits < 1 || scale_bits > 8) return fail(ctx, "scale_bits must be 0 to 8");
  if (!check_kind(ctx, scales, ScalarType::Byte, "scale codes must be uint8")) return false;
  if (!supers.has_value()) return fail(ctx, "scale codes need a number for each row");
  if (!check_kind(ctx, *supers, ScalarType::Half, "supers must be float16")) return false;
  m.scale_codes = scales.const_data_ptr<uint8_t>();
  m.scale_code_bytes = scales.nbytes();
  m.scale_bits = static_cast<int>(scale_bits);
  m.supers = halves(*supers);
  m.super_entries = supers->numel();
  return true;
}

bool grid(KernelRuntimeContext& ctx, const Tensor& codes, const Tensor& scales, const Tensor& zeros,
          int64_t bits, int64_t rows, int64_t columns, int64_t group, bool symmetric,
          int64_t zero_bits, int64_t scale_bits, Part supers, int64_t run, Part counts, Part places,
          Part values, Part outlier_scales, PackedMatrix& m) {
  if (bits < 2) return fail(ctx, "bits must be 2 to 8");
  if (!start(ctx, codes, bits, rows, columns, m)) return false;
  if (!scales_of(ctx, scales, scale_bits, supers, m)) return false;
  m.group = group;
  if (!symmetric && zeros.scalar_type() == ScalarType::Half) {
    m.half_zeros = halves(zeros);
    m.half_zero_entries = zeros.numel();
  } else if (!symmetric) {
    if (!check_kind(ctx, zeros, ScalarType::Byte, "zeros must be uint8 or float16")) return false;
    if (zero_bits < bits || zero_bits > 8) return fail(ctx, "zero_bits must be bits to 8");
    m.zeros = zeros.const_data_ptr<uint8_t>();
    m.zero_bytes = zeros.nbytes();
    m.zero_bits = static_cast<int>(zero_bits);
  }
  return outliers(ctx, run, counts, places, values, outlier_scales, m);
}

bool e0m4(KernelRuntimeContext& ctx, const Tensor& codes, const Tensor& scales,
          const Tensor& offsets, int64_t rows, int64_t columns, int64_t group, int64_t run,
          Part counts, Part places, Part values, PackedMatrix& m) {
  if (!start(ctx, codes, 4, rows, columns, m)) return false;
  if (!scales_of(ctx, scales, 0, optional<Tensor>(), m)) return false;
  if (!check_kind(ctx, offsets, ScalarType::Half, "offsets must be float16")) return false;
  m.group = group;
  m.offsets = halves(offsets);
  m.offset_entries = offsets.numel();
  return outliers(ctx, run, counts, places, values, optional<Tensor>(), m);
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

// What an operator does with its matrix: `run_linear` or `run_lookup`.
using Run = Tensor& (*)(KernelRuntimeContext&, const PackedMatrix&, const Tensor&, Tensor&);

template <Run run_it>
Tensor& lut_out(KernelRuntimeContext& ctx, const Tensor& in, const Tensor& codes,
                const Tensor& table, int64_t bits, int64_t rows, int64_t columns,
                int64_t rows_per_table, int64_t run, Part counts, Part places, Part values,
                Tensor& out) {
  PackedMatrix m;
  const bool ok = palette(ctx, codes, table, bits, rows, columns, rows_per_table, run, counts,
                          places, values, m);
  return ok ? run_it(ctx, m, in, out) : out;
}

template <Run run_it>
Tensor& affine_out(KernelRuntimeContext& ctx, const Tensor& in, const Tensor& codes,
                   const Tensor& scales, const Tensor& zeros, int64_t bits, int64_t rows,
                   int64_t columns, int64_t group, bool symmetric, int64_t zero_bits,
                   int64_t scale_bits, Part supers, int64_t run, Part counts, Part places,
                   Part values, Part outlier_scales, Tensor& out) {
  PackedMatrix m;
  const bool ok = grid(ctx, codes, scales, zeros, bits, rows, columns, group, symmetric, zero_bits,
                       scale_bits, supers, run, counts, places, values, outlier_scales, m);
  return ok ? run_it(ctx, m, in, out) : out;
}

template <Run run_it>
Tensor& e0m4_out(KernelRuntimeContext& ctx, const Tensor& in, const Tensor& codes,
                 const Tensor& scales, const Tensor& offsets, int64_t rows, int64_t columns,
                 int64_t group, int64_t run, Part counts, Part places, Part values, Tensor& out) {
  PackedMatrix m;
  const bool ok =
      e0m4(ctx, codes, scales, offsets, rows, columns, group, run, counts, places, values, m);
  return ok ? run_it(ctx, m, in, out) : out;
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

EXECUTORCH_LIBRARY(optimum_compile_rt, "linear_lut.out", lut_out<run_linear>);
EXECUTORCH_LIBRARY(optimum_compile_rt, "linear_affine.out", affine_out<run_linear>);
EXECUTORCH_LIBRARY(optimum_compile_rt, "linear_e0m4.out", e0m4_out<run_linear>);
EXECUTORCH_LIBRARY(optimum_compile_rt, "linear_f16.out", linear_f16_out);
EXECUTORCH_LIBRARY(optimum_compile_rt, "embedding_lut.out", lut_out<run_lookup>);
EXECUTORCH_LIBRARY(optimum_compile_rt, "embedding_affine.out", affine_out<run_lookup>);
EXECUTORCH_LIBRARY(optimum_compile_rt, "embedding_e0m4.out", e0m4_out<run_lookup>);
EXECUTORCH_LIBRARY(optimum_compile_rt, "embedding_f16.out", embedding_f16_out);
