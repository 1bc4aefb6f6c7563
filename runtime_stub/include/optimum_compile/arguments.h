// What all packed operators share: checks of arguments, and the shape of the result.
#ifndef OPTIMUM_COMPILE_ARGUMENTS_H
#define OPTIMUM_COMPILE_ARGUMENTS_H

#include <executorch/runtime/kernel/kernel_includes.h>

#include "optimum_compile/low_bit.h"

namespace optimum_compile {

using executorch::aten::ArrayRef;
using executorch::aten::optional;
using executorch::aten::ScalarType;
using executorch::aten::SizesType;
using executorch::aten::Tensor;
using executorch::runtime::Error;
using executorch::runtime::KernelRuntimeContext;

constexpr ssize_t kMaxRank = 8;

inline bool fail(KernelRuntimeContext& ctx, const char* what) {
  ET_LOG(Error, "optimum_compile_rt: %s", what);
  ctx.fail(Error::InvalidArgument);
  return false;
}

inline bool done(KernelRuntimeContext& ctx, Status status) {
  return status == Status::ok || fail(ctx, message(status));
}

// Resize `out` to the shape of `x` with the last axis replaced, or appended.
inline bool shape_out(KernelRuntimeContext& ctx, const Tensor& x, int64_t width, bool append,
                      Tensor& out) {
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

inline bool check_x(KernelRuntimeContext& ctx, const Tensor& x, int64_t columns) {
  if (x.scalar_type() != ScalarType::Float) return fail(ctx, "x must be float32");
  if (x.dim() < 1 || x.size(x.dim() - 1) != columns) return fail(ctx, "x has the wrong width");
  return true;
}

inline const uint16_t* halves(const Tensor& t) {
  return static_cast<const uint16_t*>(t.const_data_ptr());
}

using Part = const optional<Tensor>&;

inline bool check_kind(KernelRuntimeContext& ctx, const Tensor& t, ScalarType kind,
                       const char* what) {
  return t.scalar_type() == kind || fail(ctx, what);
}

}  // namespace optimum_compile

#endif
