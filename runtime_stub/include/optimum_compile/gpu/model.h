// What sessions of one model share on one device: weights and pipelines.
#ifndef OPTIMUM_COMPILE_GPU_MODEL_H
#define OPTIMUM_COMPILE_GPU_MODEL_H

#include "optimum_compile/gpu/device.h"

#ifdef OC_VULKAN

#include <memory>
#include <mutex>
#include <vector>

#include "optimum_compile/gpu/numbers.h"

namespace optimum_compile::gpu {

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
