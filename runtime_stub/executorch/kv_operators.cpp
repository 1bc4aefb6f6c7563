// Attention over a packed KV cache: writes the new rows in place, then reads the cache as it lies.
#include <executorch/extension/kernel_util/make_boxed_from_unboxed_functor.h>
#include <executorch/runtime/kernel/kernel_includes.h>
#include <executorch/runtime/kernel/operator_registry.h>

#include "optimum_compile/arguments.h"
#include "optimum_compile/kv_cache.h"

namespace {

using namespace optimum_compile;

// A tensor (1, heads, tokens, width) of float32.
bool check_heads(KernelRuntimeContext& ctx, const Tensor& t) {
  if (t.scalar_type() != ScalarType::Float) return fail(ctx, "q, k and v must be float32");
  return (t.dim() == 4 && t.size(0) == 1) || fail(ctx, "q, k and v must be (1, heads, tokens, width)");
}

KvRows rows_of(const Tensor& t) {
  const int64_t width = t.size(3);
  return {t.const_data_ptr<float>(), width, t.size(2) * width};
}

bool cache_of(KernelRuntimeContext& ctx, KvRole role, const Tensor& rows, const Tensor& memory,
              int64_t context, int64_t bits, int64_t group, int64_t window, int64_t sinks,
              KvCache& cache) {
  if (!check_kind(ctx, memory, ScalarType::Byte, "a KV cache must be uint8")) return false;
  if (bits < 2 || bits > 16) return fail(ctx, "KV bits must be 16, 8, 4 or 2");
  KvSpec& spec = cache.spec;
  spec.bits = static_cast<int32_t>(bits);
  spec.role = role;
  spec.heads = rows.size(1);
  spec.context = context;
  spec.width = rows.size(3);
  spec.group = group;
  spec.window = window;
  spec.sinks = sinks;
  cache.data = memory.mutable_data_ptr<uint8_t>();
  cache.bytes = memory.nbytes();
  return true;
}

Tensor& kv_attention_out(KernelRuntimeContext& ctx, const Tensor& q, const Tensor& k, const Tensor& v,
                         const Tensor& past, Tensor& keys, Tensor& values, int64_t context,
                         int64_t key_bits, int64_t key_group, int64_t key_window, int64_t key_sinks,
                         int64_t value_bits, int64_t value_group, int64_t value_window,
                         int64_t value_sinks, double scale, int64_t sliding, Tensor& out) {
  if (!check_heads(ctx, q) || !check_heads(ctx, k) || !check_heads(ctx, v)) return out;
  if (!check_kind(ctx, past, ScalarType::Long, "past must be int64")) return out;
  const int64_t seq = q.size(2);
  const bool fits = past.numel() == 1 && k.size(2) == seq && v.size(2) == seq &&
                    k.size(1) == v.size(1) && q.size(3) == k.size(3);
  if (!fits) {
    fail(ctx, "q, k, v and past do not have the sizes of one step");
    return out;
  }
  KvCache key_cache, value_cache;
  if (!cache_of(ctx, KvRole::keys, k, keys, context, key_bits, key_group, key_window, key_sinks,
                key_cache) ||
      !cache_of(ctx, KvRole::values, v, values, context, value_bits, value_group, value_window,
                value_sinks, value_cache)) {
    return out;
  }
  const SizesType sizes[] = {1, static_cast<SizesType>(q.size(1)), static_cast<SizesType>(seq),
                             static_cast<SizesType>(v.size(3))};
  if (out.scalar_type() != ScalarType::Float ||
      executorch::runtime::resize_tensor(out, ArrayRef<SizesType>(sizes, 4)) != Error::Ok) {
    fail(ctx, "out must be float32 and cannot have the needed shape");
    return out;
  }
  KvQuery query;
  query.q = rows_of(q);
  query.q_heads = q.size(1);
  query.scale = static_cast<float>(scale);
  query.window = sliding;
  query.out = {out.mutable_data_ptr<float>(), v.size(3), seq * v.size(3)};
  done(ctx, kv_step(key_cache, rows_of(k), value_cache, rows_of(v), query,
                    *past.const_data_ptr<int64_t>(), seq));
  return out;
}

}  // namespace

EXECUTORCH_LIBRARY(optimum_compile_rt, "kv_attention.out", kv_attention_out);
