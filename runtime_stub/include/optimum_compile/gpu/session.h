// Sessions, and single kernels, on a Vulkan device.
#ifndef OPTIMUM_COMPILE_GPU_SESSION_H
#define OPTIMUM_COMPILE_GPU_SESSION_H

#include "optimum_compile/gpu/model.h"

#ifdef OC_VULKAN

#include "optimum_compile/gpu/recorder.h"
#include "optimum_compile/runtime/probe.h"
#include "optimum_compile/runtime/session.h"

namespace optimum_compile::gpu {

// The likeliest tokens of a row of logits, found where it lies.
class TopFinder {
 public:
  // Without the kernels for it `can` is false.
  TopFinder(std::shared_ptr<const Gpu> gpu, const KernelTable& kernels, int64_t vocabulary);
  bool can() const { return part_ != nullptr; }

  // Commands that find the k likeliest in `row` of `logits`.
  void record(VkCommandBuffer commands, const GpuBuffer& logits, int64_t row, int64_t k);
  // The buffer of logits is about to be replaced.
  void forget() { pool_.reset(); }
  // What they have found, once they ran.
  void read(int64_t k, int64_t* ids, float* values) const;

 private:
  void launch(VkCommandBuffer commands, const Pipeline& pipeline, VkDescriptorSet set,
              uint32_t slot, uint32_t groups) const;

  const std::shared_ptr<const Gpu> gpu_;
  const int64_t vocabulary_;
  uint32_t parts_ = 1;
  std::unique_ptr<const Pipeline> part_, join_;
  std::unique_ptr<const SetPool> pool_;
  VkDescriptorSet part_set_ = VK_NULL_HANDLE, join_set_ = VK_NULL_HANDLE;
  GpuBuffer params_, found_, out_;
};

class GpuSession : public Session {
 public:
  GpuSession(std::shared_ptr<const Gpu> gpu, std::shared_ptr<const GpuModel> model,
             int64_t bytes_max);

 private:
  void run_chunk(const Chunk& chunk, const int64_t* tokens, oc_logits which,
                 float* logits) override;
  void find_top(int64_t k, int64_t* ids, float* values) override;
  SeenCache see(const Cache& cache) override;
  // Room for a call; what was recorded for smaller buffers is dropped.
  void make_room(const Chunk& chunk, int64_t rows, int64_t host_rows);
  void grow(GpuBuffer* buffer, int64_t bytes, Use use, const char* what);
  int64_t taken() const;
  void copy_rows(VkCommandBuffer commands, int64_t row, int64_t rows) const;
  const float* host_logits() const { return reinterpret_cast<const float*>(host_.data()); }
  void count(const Chunk& chunk, int64_t first, const Recording& recording);

  const std::shared_ptr<const Gpu> gpu_;
  const std::shared_ptr<const GpuModel> model_;
  Numbers numbers_;
  const Commands commands_;
  const VkCommandBuffer behind_;  // what follows a pass: copies of logits, the likeliest tokens
  Memories memory_;
  GpuBuffer host_;  // logits that the caller wants
  Recorder recorder_;
  TopFinder finder_;
  int64_t kept_row_ = 0;
  int64_t likeliest_ = -1;  // found with the last pass, where somebody generates
  size_t last_stage_ = SIZE_MAX;
};

std::unique_ptr<Session> make_session(const std::shared_ptr<const Gpu>& gpu,
                                      std::shared_ptr<const GpuModel> model, int64_t bytes_max);

void run_probe(const std::shared_ptr<Gpu>& gpu, const KernelTable& kernels, oc_probe_call* call);

}  // namespace optimum_compile::gpu

#endif  // OC_VULKAN
#endif
