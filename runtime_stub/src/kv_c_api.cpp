// C functions over the KV cache; all but the sizes return a Status as an int.
#include "optimum_compile/bits.h"
#include "optimum_compile/kv_cache.h"

using optimum_compile::KvCache;
using optimum_compile::KvQuery;
using optimum_compile::KvRows;
using optimum_compile::KvSpec;

extern "C" {

int64_t oc_kv_bytes(const KvSpec* spec) { return optimum_compile::kv_bytes(*spec); }

int64_t oc_kv_rounded(const KvSpec* spec, int64_t tokens) {
  return optimum_compile::kv_rounded(*spec, tokens);
}

int64_t oc_kv_scratch_floats(const KvSpec* keys, const KvSpec* values, int64_t q_heads) {
  return optimum_compile::kv_scratch_floats(*keys, *values, q_heads);
}

int oc_kv_write(const KvCache* cache, const KvRows* rows, int64_t past, int64_t seq) {
  return static_cast<int>(optimum_compile::kv_write(*cache, *rows, past, seq));
}

int oc_kv_attention(const KvCache* keys, const KvCache* values, const KvQuery* query, int64_t past,
                    int64_t seq) {
  return static_cast<int>(optimum_compile::kv_attention(*keys, *values, *query, past, seq));
}

int oc_kv_step(const KvCache* keys, const KvRows* new_keys, const KvCache* values,
               const KvRows* new_values, const KvQuery* query, int64_t past, int64_t seq) {
  return static_cast<int>(
      optimum_compile::kv_step(*keys, *new_keys, *values, *new_values, *query, past, seq));
}

void oc_to_half(const float* in, int64_t n, uint16_t* out) {
  for (int64_t i = 0; i < n; ++i) out[i] = optimum_compile::float_to_half(in[i]);
}

}  // extern "C"
