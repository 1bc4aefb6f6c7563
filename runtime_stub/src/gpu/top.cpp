// The likeliest tokens, by the kernels top_k_part and top_k.
#include <algorithm>
#include <cstring>
#include <utility>

#include "optimum_compile/gpu/session.h"

#ifdef OC_VULKAN

namespace optimum_compile::gpu {
namespace {

constexpr uint32_t kLocal = 64, kMostParts = 64, kNumbersOfPart = 1024, kMostTop = 64;

const KernelEntry* entry_of(const KernelTable& kernels, const char* name, uint32_t params) {
  const KernelEntry* found = kernels.find(name);
  const bool known = found != nullptr && found->constants == 1 && found->params == params &&
                     found->buffers == 2 && found->written == 2;
  return known ? found : nullptr;
}

}  // namespace

TopFinder::TopFinder(std::shared_ptr<const Gpu> gpu, const KernelTable& kernels,
                     int64_t vocabulary)
    : gpu_(std::move(gpu)), vocabulary_(vocabulary) {
  const KernelEntry* const part = entry_of(kernels, "top_k_part", 5);
  const KernelEntry* const join = entry_of(kernels, "top_k", 4);
  if (part == nullptr || join == nullptr) return;
  parts_ = static_cast<uint32_t>(
      std::clamp<int64_t>(vocabulary / kNumbersOfPart, 1, kMostParts));
  params_ = GpuBuffer(gpu_, 2 * kParamBytes, Use::mapped, "params");
  found_ = GpuBuffer(gpu_, int64_t{parts_} * 2 * kMostTop * 4, Use::local, "likely tokens");
  out_ = GpuBuffer(gpu_, 2 * kMostTop * 4, Use::mapped, "likely tokens");
  join_ = std::make_unique<const Pipeline>(gpu_, *join, gpu_->variant_of(*join), &kLocal);
  part_ = std::make_unique<const Pipeline>(gpu_, *part, gpu_->variant_of(*part), &kLocal);
}

void TopFinder::launch(VkCommandBuffer commands, const Pipeline& pipeline, VkDescriptorSet set,
                       uint32_t slot, uint32_t groups) const {
  const Api& api = gpu_->api();
  const uint32_t offset = slot * static_cast<uint32_t>(kParamBytes);
  api.CmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.handle());
  api.CmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, gpu_->layout(2).pipeline, 0,
                            1, &set, 1, &offset);
  api.CmdDispatch(commands, groups, 1, 1);
  wait_for_all(*gpu_, commands);
}

void TopFinder::record(VkCommandBuffer commands, const GpuBuffer& logits, int64_t row, int64_t k) {
  if (pool_ == nullptr) {
    pool_ = std::make_unique<const SetPool>(gpu_, 2, 4);
    const VkDescriptorBufferInfo in[] = {{logits.handle(), 0, VK_WHOLE_SIZE},
                                         {found_.handle(), 0, VK_WHOLE_SIZE}};
    const VkDescriptorBufferInfo out[] = {{found_.handle(), 0, VK_WHOLE_SIZE},
                                          {out_.handle(), 0, VK_WHOLE_SIZE}};
    part_set_ = pool_->make(params_.handle(), in, 2);
    join_set_ = pool_->make(params_.handle(), out, 2);
  }
  const uint32_t size = static_cast<uint32_t>(vocabulary_), count = static_cast<uint32_t>(k);
  const uint32_t first[] = {size, count, static_cast<uint32_t>(row * vocabulary_), size, 0};
  const uint32_t second[] = {parts_, count, 0, 0};
  std::memcpy(params_.data(), first, sizeof first);
  std::memcpy(params_.data() + kParamBytes, second, sizeof second);
  launch(commands, *part_, part_set_, 0, parts_);
  launch(commands, *join_, join_set_, 1, 1);
}

void TopFinder::read(int64_t k, int64_t* ids, float* values) const {
  const size_t count = static_cast<size_t>(k);
  uint32_t words[2 * kMostTop];
  std::memcpy(words, out_.data(), 8 * count);
  for (size_t i = 0; i < count; ++i) ids[i] = words[i];
  if (values != nullptr) std::memcpy(values, words + count, 4 * count);
}

}  // namespace optimum_compile::gpu

#endif
