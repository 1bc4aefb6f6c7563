// A learned scheduler: after a prompt it says at which token nested weights go on with fewer bits.
// The file is safetensors (docs/phases.md) of fp16 tensors with the plan in its metadata.
#ifndef OPTIMUM_COMPILE_RUNTIME_SCHEDULE_H
#define OPTIMUM_COMPILE_RUNTIME_SCHEDULE_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "optimum_compile/kv_cache.h"
#include "optimum_compile/runtime/container.h"

namespace optimum_compile {

struct Schedule {
  int64_t prefill = 0, high = 0, low = 0;  // bits
  std::vector<int64_t> steps;              // ascending from 0
  std::string keys, values, model;         // caches of the last layer; digest of the checkpoint

  int64_t heads = 0, width = 0, value_width = 0, hidden = 0;
  std::vector<float> query;         // (heads, width)
  std::vector<float> norm, offset;  // (value_width)
  std::vector<float> inner, inner_bias;  // (hidden, value_width), (hidden)
  std::vector<float> outer, outer_bias;  // (steps, hidden), (steps)
};

// Parse and check a file; nothing of it is needed afterwards. A Failure for anything unexpected.
std::shared_ptr<const Schedule> read_schedule(Bytes file);

// One number for each step, from the first `tokens` of the last layer's cache. A Failure where the
// cache is not of the sizes that the network was made for.
std::vector<float> schedule_logits(const Schedule& schedule, const KvCache& keys, const KvCache& values,
                                   int64_t tokens);

}  // namespace optimum_compile

#endif
