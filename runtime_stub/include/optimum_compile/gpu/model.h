// What sessions of one model share on one device: weights, pipelines; and what a call makes of numbers.
#ifndef OPTIMUM_COMPILE_GPU_MODEL_H
#define OPTIMUM_COMPILE_GPU_MODEL_H

#include "optimum_compile/gpu/device.h"

#ifdef OC_VULKAN

#include <memory>
#include <mutex>
#include <vector>

#include "optimum_compile/gpu/program.h"

namespace optimum_compile::gpu {

// The expressions of a section with values of seq, past and first.
class GpuNumbers {
 public:
  explicit GpuNumbers(std::shared_ptr<const Program> program);

  // Where only `past` differs from the last time, only what depends on it is counted again.
  void set(int64_t seq, int64_t past, int64_t first);

  // As a word: an unsigned number, or a signed one in two's complement. A Failure where it is neither.
  uint32_t word(uint32_t expr) const;
  bool uses_past(uint32_t expr) const { return gpu_.expressions[expr].uses_past; }

 private:
  const std::shared_ptr<const Program> program_;
  const GpuProgram& gpu_;
  std::vector<int64_t> symbols_, values_;
  std::vector<bool> known_;
  bool set_ = false;
};

class GpuModel {
 public:
  // Checks the section against the kernels and the device, and takes the weights there.
  GpuModel(std::shared_ptr<const Gpu> gpu, std::shared_ptr<const KernelTable> kernels,
           std::shared_ptr<const Program> program);

  const std::shared_ptr<const Program>& program() const { return program_; }
  const GpuProgram& section() const { return *program_->gpu; }
  const KernelTable& table() const { return *kernels_; }
  bool uses(const KernelTable* kernels) const { return kernels_.get() == kernels; }

  const KernelEntry& kernel(uint32_t pipeline) const {
    return *entries_[section().pipelines[pipeline].kernel];
  }
  // Made when it is first asked for.
  const Pipeline& pipeline(uint32_t index) const;
  VkDescriptorBufferInfo part(const Bound& bound) const;

 private:
  struct Place {
    size_t buffer = 0;
    int64_t offset = 0;
    bool used = false;
  };
  void check_kernels();
  void check_dispatch(const Dispatch& dispatch) const;
  void place_parts();
  void upload();

  const std::shared_ptr<const Gpu> gpu_;
  const std::shared_ptr<const KernelTable> kernels_;
  const std::shared_ptr<const Program> program_;
  std::vector<const KernelEntry*> entries_;  // of the kernels that the section names
  std::vector<Place> places_;                // of parts
  std::vector<int64_t> sizes_;               // of the buffers that hold them
  std::vector<GpuBuffer> buffers_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<const Pipeline>> pipelines_;
};

// One for each pair of model and device, as long as a session of it is there.
class GpuModels {
 public:
  std::shared_ptr<const GpuModel> get(const std::shared_ptr<const Gpu>& gpu,
                                      const std::shared_ptr<const KernelTable>& kernels,
                                      const std::shared_ptr<const Program>& program);

 private:
  std::mutex mutex_;
  std::map<const Program*, std::weak_ptr<const GpuModel>> models_;
};

}  // namespace optimum_compile::gpu

#endif  // OC_VULKAN
#endif
