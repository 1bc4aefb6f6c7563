// The memory of a KV cache as the kernels see it: what `kv_store.cpp` gives and `kv_cache.cpp` uses.
#ifndef OPTIMUM_COMPILE_KV_REGION_H
#define OPTIMUM_COMPILE_KV_REGION_H

#include "optimum_compile/kv_cache.h"

namespace optimum_compile {

constexpr int64_t kKvMost = int64_t{1} << 20;  // heads, tokens, channels

// One region: its spec, what follows from it, and its memory.
struct KvRegion {
  const KvSpec& spec;
  KvLayout at;
  uint8_t* data;

  uint16_t* halves(int64_t offset) const { return reinterpret_cast<uint16_t*>(data + offset); }
  int64_t codes_of(int64_t run, int64_t head) const {  // number of its first code
    return (run * spec.heads + head) * spec.group * spec.width;
  }
  // Of keys: the first channel's scale. Of values: that of the token `token` of the run.
  int64_t scales_of(int64_t run, int64_t head, int64_t token) const {
    const int64_t block = run * spec.heads + head;
    if (spec.role == KvRole::keys) return block * spec.width;
    return (block * spec.group + token) * at.channel_groups;
  }
  uint16_t* row(int64_t token) const {
    const int64_t slot = token < at.sinks ? token : at.sinks + (token - at.sinks) % at.ring;
    return halves(at.rows) + slot * spec.heads * spec.width;
  }
};

// Whether a cache has its memory and is of this role; `layout` gets where its parts lie.
Status kv_open(const KvCache& cache, KvRole role, KvLayout* layout);

// Whether `seq` tokens fit behind `past` ones.
Status kv_check_position(const KvSpec& spec, int64_t past, int64_t seq);

// Write rows, and round the runs that leave the window.
void kv_put(const KvRegion& r, const KvRows& rows, int64_t past, int64_t seq);

// Tokens first .. end - 1 of a head, (end - first, width), as they are read when `rounded` of them are
// held in codes; `room` has 2 * width floats.
void kv_read(const KvRegion& r, int64_t rounded, int64_t head, int64_t first, int64_t end, float* room,
             float* out);

}  // namespace optimum_compile

#endif
