#include "optimum_compile/gpu/model.h"

#ifdef OC_VULKAN

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "optimum_compile/runtime/failure.h"

namespace optimum_compile::gpu {
namespace {

constexpr int64_t kBufferBytes = int64_t{1} << 30;  // of weights in one buffer, unless one part has more
constexpr int64_t kStagingBytes = int64_t{32} << 20;

int64_t padded(size_t bytes, int64_t to) {
  return (static_cast<int64_t>(bytes) + to - 1) / to * to;
}

}  // namespace

GpuModel::GpuModel(std::shared_ptr<const Gpu> gpu, std::shared_ptr<const KernelTable> kernels,
                   std::shared_ptr<const Program> program)
    : gpu_(std::move(gpu)), kernels_(std::move(kernels)), program_(std::move(program)) {
  entries_ = kernels_of(section_of(*program_), *kernels_);
  for (const PipelineOf& p : section().pipelines) {
    check_constants(*gpu_, *entries_[p.kernel], p.constants.data(), p.constants.size());
  }
  const uint64_t most = gpu_->limits().maxStorageBufferRange;
  for (const GpuFunction& f : section().functions) {
    for (const Dispatch& d : f.dispatches) check_dispatch(*program_, kernel(d.pipeline), d, most);
  }
  pipelines_.resize(section().pipelines.size());
  place_parts();
  upload();
}

// Parts that are read, one behind the other, in as few buffers as may be.
void GpuModel::place_parts() {
  places_.resize(program_->parts.size());
  for (const GpuFunction& f : section().functions) {
    for (const Dispatch& d : f.dispatches) {
      for (const Bound& b : d.buffers) {
        if (b.kind == BoundKind::part) places_[b.index].used = true;
      }
    }
  }
  const int64_t most = std::min(kBufferBytes, gpu_->physical().most_allocated);
  for (size_t i = 0; i < places_.size(); ++i) {
    if (!places_[i].used) continue;
    const int64_t bytes = padded(program_->parts[i].bytes.size, kBindAlignment);
    if (sizes_.empty() || sizes_.back() + bytes > most) sizes_.push_back(0);
    places_[i].buffer = sizes_.size() - 1;
    places_[i].offset = sizes_.back();
    sizes_.back() += bytes;
  }
}

void GpuModel::upload() {
  for (const int64_t size : sizes_) buffers_.emplace_back(gpu_, size, Use::local, "weights");
  const bool direct = std::all_of(buffers_.begin(), buffers_.end(),
                                  [](const GpuBuffer& b) { return b.data() != nullptr; });
  const Commands commands(gpu_);
  const VkCommandBuffer c = commands.make();
  GpuBuffer staging;
  if (!direct) staging = GpuBuffer(gpu_, kStagingBytes, Use::staged, "weights on their way");
  for (size_t i = 0; i < places_.size(); ++i) {
    const Place& place = places_[i];
    const Bytes from = program_->parts[i].bytes;
    if (!place.used || from.size == 0) continue;
    const GpuBuffer& to = buffers_[place.buffer];
    const int64_t bytes = padded(from.size, 4);
    for (int64_t at = 0; at < bytes; at += kStagingBytes) {
      const int64_t n = std::min(bytes - at, kStagingBytes);
      const int64_t held = std::min(n, static_cast<int64_t>(from.size) - at);
      uint8_t* const data = direct ? to.data() + place.offset + at : staging.data();
      std::memset(data + n - 4, 0, 4);  // what the last word has too many
      std::memcpy(data, from.data + at, static_cast<size_t>(held));
      if (direct) continue;
      const VkBufferCopy region = {0, static_cast<VkDeviceSize>(place.offset + at),
                                   static_cast<VkDeviceSize>(n)};
      commands.begin(c, true);
      gpu_->api().CmdCopyBuffer(c, staging.handle(), to.handle(), 1, &region);
      wait_for_all(*gpu_, c);
      commands.end(c);
      commands.run(&c, 1);
    }
  }
}

const Pipeline& GpuModel::pipeline(uint32_t index) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::unique_ptr<const Pipeline>& made = pipelines_[index];
  if (made == nullptr) {
    const KernelEntry& entry = kernel(index);
    made = std::make_unique<const Pipeline>(gpu_, entry, gpu_->variant_of(entry),
                                            section().pipelines[index].constants.data());
  }
  return *made;
}

VkDescriptorBufferInfo GpuModel::part(const Bound& b) const {
  const Place& place = places_[b.index];
  return {buffers_[place.buffer].handle(),
          static_cast<VkDeviceSize>(place.offset) + b.offset, b.bytes};
}

std::shared_ptr<const GpuModel> GpuModels::get(const std::shared_ptr<const Gpu>& gpu,
                                               const std::shared_ptr<const KernelTable>& kernels,
                                               const std::shared_ptr<const Program>& program) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto it = models_.begin(); it != models_.end();) {
    it = it->second.expired() ? models_.erase(it) : std::next(it);
  }
  std::weak_ptr<const GpuModel>& kept = models_[program.get()];
  std::shared_ptr<const GpuModel> found = kept.lock();
  if (found != nullptr && found->uses(kernels.get())) return found;
  found = std::make_shared<const GpuModel>(gpu, kernels, program);
  kept = found;
  return found;
}

}  // namespace optimum_compile::gpu

#endif
