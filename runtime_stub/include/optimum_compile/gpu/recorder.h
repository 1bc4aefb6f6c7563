// Passes through functions as recorded commands: made once for a length, run many times.
#ifndef OPTIMUM_COMPILE_GPU_RECORDER_H
#define OPTIMUM_COMPILE_GPU_RECORDER_H

#include "optimum_compile/gpu/model.h"

#ifdef OC_VULKAN

#include <memory>
#include <vector>

namespace optimum_compile::gpu {

// The buffers of a session that kernels see.
struct Memories {
  GpuBuffer arena, keys, values, tokens, logits, none;
};

// Which commands: those of a function for `seq` tokens, of whose logits those from `first` on are wanted,
// and which list of its dispatches.
struct Pass {
  size_t function = 0;
  int64_t seq = 0, first = 0;
  uint32_t list = 0;
  bool operator==(const Pass& other) const {
    return function == other.function && seq == other.seq && first == other.first &&
           list == other.list;
  }
};

struct Recording {
  Pass pass;
  VkCommandBuffer commands = nullptr;
  VkQueryPool clocks = VK_NULL_HANDLE;
  uint32_t first_slot = 0;     // of its params
  uint64_t used = 0;           // when last
  int64_t past = -1;           // that its params are written for
  std::vector<uint32_t> late;  // dispatches with numbers that depend on past
  std::vector<uint16_t> stages;      // in the order they are run, each once in a row
  std::vector<int64_t> stage_steps;  // dispatches of each
  int64_t steps = 0;
};

class Recorder {
 public:
  Recorder(std::shared_ptr<const Gpu> gpu, std::shared_ptr<const GpuModel> model,
           const Commands& commands, const Memories& memory);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // Commands of a pass behind `past` tokens, ready to run.
  const Recording& get(const Pass& pass, int64_t past);
  // Forget everything: a buffer is about to be replaced.
  void drop();
  // Nanoseconds that each of `stages` took when the commands last ran; empty where there is no clock.
  std::vector<int64_t> stage_ns(const Recording& recording) const;

 private:
  // Descriptor sets of one function, from a pool for each stage. All lists of dispatches share them,
  // for they have the same buffers.
  struct Sets {
    std::vector<std::unique_ptr<const SetPool>> pools;
    std::vector<VkDescriptorSet> of;  // each dispatch
  };
  const Sets& sets(size_t function);
  const Dispatch& dispatch(const Recording& recording, uint32_t index) const;
  VkDescriptorBufferInfo place(const Bound& bound) const;
  Recording& room(const Pass& pass);
  void forget(Recording* recording);
  void record(Recording* recording);
  void write(const Recording& recording, uint32_t index);
  void write_groups(const Recording& recording, uint32_t index);
  bool late_groups(const Dispatch& dispatch) const;
  bool is_late(const Dispatch& dispatch) const;
  void clock(const Recording& recording, uint32_t number) const;

  const std::shared_ptr<const Gpu> gpu_;
  const std::shared_ptr<const GpuModel> model_;
  const Commands& commands_;
  const Memories& memory_;
  GpuNumbers numbers_;
  uint32_t slots_ = 0;  // params of one recording
  size_t most_ = 0;     // recordings that are kept
  GpuBuffer params_, groups_;
  std::vector<std::unique_ptr<Sets>> sets_;  // by function
  std::vector<std::unique_ptr<Recording>> kept_;
  uint64_t tick_ = 0;
};

}  // namespace optimum_compile::gpu

#endif  // OC_VULKAN
#endif
