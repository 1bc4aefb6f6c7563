// A Vulkan device that was opened: its memory, its pipelines, its queue.
#ifndef OPTIMUM_COMPILE_GPU_DEVICE_H
#define OPTIMUM_COMPILE_GPU_DEVICE_H

#include "optimum_compile/gpu/instance.h"

#ifdef OC_VULKAN

#include <map>
#include <memory>
#include <mutex>

#include "optimum_compile/gpu/kernel_table.h"

namespace optimum_compile::gpu {

// Who touches a buffer. `local`: kernels alone. `mapped`: the host writes, kernels read. `read`: the
// host reads what the device wrote. `staged`: the host writes what will be copied.
enum class Use { local, mapped, read, staged };

class Gpu;

// Memory with a buffer over all of it.
class GpuBuffer {
 public:
  GpuBuffer() = default;
  GpuBuffer(std::shared_ptr<const Gpu> gpu, int64_t bytes, Use use, const char* what);
  ~GpuBuffer();
  GpuBuffer(GpuBuffer&& other) noexcept;
  GpuBuffer& operator=(GpuBuffer&& other) noexcept;

  VkBuffer handle() const { return buffer_; }
  int64_t size() const { return size_; }
  uint8_t* data() const { return data_; }  // nullptr where the host cannot see it

 private:
  std::shared_ptr<const Gpu> gpu_;
  VkBuffer buffer_ = VK_NULL_HANDLE;
  VkDeviceMemory memory_ = VK_NULL_HANDLE;
  uint8_t* data_ = nullptr;
  int64_t size_ = 0;
};

// A kernel with its constants.
class Pipeline {
 public:
  Pipeline(std::shared_ptr<const Gpu> gpu, const KernelEntry& kernel, Variant variant,
           const uint32_t* constants);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;
  VkPipeline handle() const { return handle_; }

 private:
  const std::shared_ptr<const Gpu> gpu_;
  VkPipeline handle_ = VK_NULL_HANDLE;
};

// Layouts of kernels with a number of buffers: params at 0 with an offset of its own, then those.
struct Layout {
  VkDescriptorSetLayout set = VK_NULL_HANDLE;
  VkPipelineLayout pipeline = VK_NULL_HANDLE;
};

class Gpu : public std::enable_shared_from_this<Gpu> {
 public:
  Gpu(std::shared_ptr<Instance> instance, const Physical& physical, uint32_t flags);
  ~Gpu();
  Gpu(const Gpu&) = delete;
  Gpu& operator=(const Gpu&) = delete;

  const Api& api() const { return api_; }
  VkDevice handle() const { return handle_; }
  const Physical& physical() const { return physical_; }
  const VkPhysicalDeviceLimits& limits() const { return physical_.properties.limits; }
  const Instance& instance() const { return *instance_; }
  VkPipelineCache cache() const { return cache_; }

  // What the driver keeps of pipelines; of another driver's bytes it takes nothing.
  std::vector<uint8_t> save_pipelines() const;
  void load_pipelines(Bytes saved) const;

  const Layout& layout(uint32_t buffers) const;
  uint32_t memory_type(uint32_t allowed, Use use) const;
  // The last variant of a kernel that this device can run.
  Variant variant_of(const KernelEntry& kernel) const;
  bool can(Variant variant) const;

  // Run commands and wait for them. A Failure OC_DEVICE_LOST from then on where they never end.
  void submit(const VkCommandBuffer* commands, uint32_t count, VkFence fence) const;

 private:
  void open(uint32_t flags);
  void close();

  const std::shared_ptr<Instance> instance_;
  const Physical physical_;
  Api api_;
  VkDevice handle_ = nullptr;
  VkQueue queue_ = nullptr;
  VkPipelineCache cache_ = VK_NULL_HANDLE;
  mutable std::mutex mutex_;  // of what is below, and of the queue
  mutable std::map<uint32_t, Layout> layouts_;
  mutable bool lost_ = false;
};

// A pool with commands that are recorded and run by one thread.
class Commands {
 public:
  explicit Commands(std::shared_ptr<const Gpu> gpu);
  ~Commands();
  Commands(const Commands&) = delete;
  Commands& operator=(const Commands&) = delete;

  VkCommandBuffer make() const;
  void drop(VkCommandBuffer commands) const;
  void begin(VkCommandBuffer commands, bool once) const;
  void end(VkCommandBuffer commands) const;
  void run(const VkCommandBuffer* commands, uint32_t count) const;
  const Gpu& gpu() const { return *gpu_; }

 private:
  const std::shared_ptr<const Gpu> gpu_;
  VkCommandPool pool_ = VK_NULL_HANDLE;
  VkFence fence_ = VK_NULL_HANDLE;
};

// Descriptor sets of a fixed number of kernels.
class SetPool {
 public:
  SetPool(std::shared_ptr<const Gpu> gpu, uint32_t sets, uint32_t buffers);
  ~SetPool();
  SetPool(const SetPool&) = delete;
  SetPool& operator=(const SetPool&) = delete;

  // A set whose params are 256 bytes of `params`, and its buffers these.
  VkDescriptorSet make(VkBuffer params, const VkDescriptorBufferInfo* buffers,
                       uint32_t count) const;

 private:
  const std::shared_ptr<const Gpu> gpu_;
  VkDescriptorPool pool_ = VK_NULL_HANDLE;
};

constexpr int64_t kParamBytes = 256;

// Kernels before are done, and seen by kernels behind.
void wait_for_kernels(const Gpu& gpu, VkCommandBuffer commands);

// Everything before is done, and seen by everything behind: by kernels, copies, the host.
void wait_for_all(const Gpu& gpu, VkCommandBuffer commands);

// What a kernel may be given: a Failure that names it otherwise.
void check_groups(const Gpu& gpu, const char* kernel, const uint32_t* groups);
void check_constants(const Gpu& gpu, const KernelEntry& kernel, const uint32_t* constants,
                     size_t count);

}  // namespace optimum_compile::gpu

#endif  // OC_VULKAN
#endif
