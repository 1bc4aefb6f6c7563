// A KV cache in 16, 8, 4 or 2 bits: written in place, read by attention as it lies. No dependencies.
//
// The keys, or the values, of one layer are one region of `kv_bytes` bytes, aligned to 2:
//
//   codes   (runs, heads, group, width) of `bits` bits, least significant first, without gaps
//   scales  fp16: keys (runs, heads, width), values (runs, heads, group, channel groups)
//   lows    fp16, as scales; a number is low + scale * code
//   rows    fp16 (sinks + ring, heads, width): the first tokens, then the newest ones in a ring
//
// After the sinks, `group` tokens are a run. A run is rounded at once, when every token of it is older
// than the `window` newest ones; until then its tokens are fp16 rows of the ring, which holds up to
// window + group of them. A row is all heads of a token. With 16 bits there are rows only, one a token.
//
// Nothing in a region says how many tokens it holds: the caller counts them (`past`). A cache may be
// started again at past = 0; otherwise tokens are written in order, none twice.
#ifndef OPTIMUM_COMPILE_KV_CACHE_H
#define OPTIMUM_COMPILE_KV_CACHE_H

#include <cstddef>
#include <cstdint>

#include "optimum_compile/low_bit.h"

namespace optimum_compile {

enum class KvRole : int32_t { keys = 0, values = 1 };

// The keys or the values of one layer. With 16 bits group, window and sinks mean nothing.
struct KvSpec {
  int32_t bits = 16;  // 16, 8, 4, 2
  KvRole role = KvRole::keys;
  int64_t heads = 0;    // of keys and values
  int64_t context = 0;  // tokens at most
  int64_t width = 0;    // channels of a head
  int64_t group = 32;   // tokens (keys) or channels (values) that share a scale; a multiple of 8
  int64_t window = 32;  // newest tokens that stay in fp16, the current one included
  int64_t sinks = 4;    // first tokens that stay in fp16
};

// Where the parts of a region begin, in bytes, and the sizes that follow from the spec.
struct KvLayout {
  int64_t runs = 0;            // that are ever rounded
  int64_t ring = 0;            // rows behind those of the sinks
  int64_t sinks = 0;           // rows of sinks: no more than the context
  int64_t channel_groups = 0;  // scales of a head in one token of values
  int64_t scales = 0, lows = 0, rows = 0;
  int64_t bytes = 0;  // of the region
};

// Float32 vectors of `width` numbers, one for each head and token; strides count floats.
struct KvRows {
  const float* data = nullptr;
  int64_t token_stride = 0;
  int64_t head_stride = 0;
};

// The same to write to.
struct KvOut {
  float* data = nullptr;
  int64_t token_stride = 0;
  int64_t head_stride = 0;
};

class Workers;

// One side of a cache with its memory.
struct KvCache {
  KvSpec spec;
  uint8_t* data = nullptr;
  size_t bytes = 0;
};

// What attention asks beside the caches.
struct KvQuery {
  KvRows q;             // (seq, q_heads, width of keys)
  int64_t q_heads = 0;  // a multiple of the heads; a run of q_heads / heads shares one
  float scale = 0;      // of the products
  int64_t window = 0;   // sliding window: how many tokens a query sees, itself included; 0: all
  KvOut out;            // (seq, q_heads, width of values)
  float* scratch = nullptr;  // kv_scratch_floats() numbers; null: allocated inside
  size_t scratch_floats = 0;
  Workers* workers = nullptr;  // threads that share the heads; null: the caller's alone
};

// Whether the numbers of a spec are possible; `layout`, if not null, gets what follows from them.
Status kv_check(const KvSpec& spec, KvLayout* layout);

// Bytes of a region, or -1 where the spec is impossible.
int64_t kv_bytes(const KvSpec& spec);

// Tokens that are held in codes once the cache has `tokens`; they follow the sinks.
int64_t kv_rounded(const KvSpec& spec, int64_t tokens);

// Floats that one attention works with, whatever the number of tokens; -1 for an impossible spec.
int64_t kv_scratch_floats(const KvSpec& keys, const KvSpec& values, int64_t q_heads);

// Write `seq` rows behind the `past` tokens that are there, and round the runs that leave the window.
Status kv_write(const KvCache& cache, const KvRows& rows, int64_t past, int64_t seq);

// Attention of the queries at past .. past + seq - 1 over caches that hold past + seq tokens. Scores,
// softmax and sums are float32. bad_position where a run was rounded among those positions: the first
// queries should have read it exactly, see kv_step.
Status kv_attention(const KvCache& keys, const KvCache& values, const KvQuery& query, int64_t past,
                    int64_t seq);

// Write keys and values and attend, in pieces, so that each query reads the cache as it is when no
// later token has been written: a prompt gives what single steps would give, however it is cut.
Status kv_step(const KvCache& keys, const KvRows& new_keys, const KvCache& values,
               const KvRows& new_values, const KvQuery& query, int64_t past, int64_t seq);

}  // namespace optimum_compile

#endif
