#include "optimum_compile/gpu/device.h"
#include "optimum_compile/gpu/numbers.h"

#ifdef OC_VULKAN

#include <algorithm>
#include <cstring>
#include <utility>

#include "optimum_compile/runtime/failure.h"

namespace optimum_compile::gpu {
namespace {

// A pass through a large model on a software device takes minutes.
constexpr uint64_t kPatienceNs = uint64_t{900} * 1000000000u;

}  // namespace

Gpu::Gpu(std::shared_ptr<Instance> instance, const Physical& physical, uint32_t flags)
    : instance_(std::move(instance)), physical_(physical), api_(instance_->api) {
  try {
    open(flags);
  } catch (...) {
    close();
    throw;
  }
}

Gpu::~Gpu() { close(); }

void Gpu::open(uint32_t flags) {
  std::vector<const char*> extensions;
  const float even = 0.0f;  // among queues of this program; there is one
  VkDeviceQueueCreateInfo queue = {};
  queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
  queue.queueFamilyIndex = physical_.queue_family;
  queue.queueCount = 1;
  queue.pQueuePriorities = &even;
  VkDeviceQueueGlobalPriorityCreateInfoEXT priority = {};
  priority.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_GLOBAL_PRIORITY_CREATE_INFO_EXT;
  priority.globalPriority = VK_QUEUE_GLOBAL_PRIORITY_LOW_EXT;
  if ((flags & OC_DEVICE_LOW_PRIORITY) != 0 && physical_.priority != nullptr) {
    queue.pNext = &priority;
    extensions.push_back(physical_.priority);
  }
  VkPhysicalDeviceFeatures2 features = {};
  features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
  // Numbers of a file reach kernels: what leaves a buffer is then cut off by the device.
  features.features.robustBufferAccess = (flags & OC_DEVICE_UNCHECKED) == 0;
#ifdef VK_KHR_shader_integer_dot_product
  VkPhysicalDeviceShaderIntegerDotProductFeaturesKHR dot = {};
  dot.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES_KHR;
  dot.shaderIntegerDotProduct = VK_TRUE;
  if (physical_.dot) features.pNext = &dot;
  if (physical_.dot && physical_.dot_extension) {
    extensions.push_back(VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME);
  }
#endif
  VkDeviceCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
  info.pNext = &features;
  info.queueCreateInfoCount = 1;
  info.pQueueCreateInfos = &queue;
  info.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
  info.ppEnabledExtensionNames = extensions.data();
  check(api_.CreateDevice(physical_.handle, &info, nullptr, &handle_),
        physical_.properties.deviceName);
  api_.load_device(handle_);
  api_.GetDeviceQueue(handle_, physical_.queue_family, 0, &queue_);
  VkPipelineCacheCreateInfo cache = {};
  cache.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO;
  check(api_.CreatePipelineCache(handle_, &cache, nullptr, &cache_), "a cache of pipelines");
}

void Gpu::close() {
  if (handle_ == nullptr || api_.DestroyDevice == nullptr) return;
  for (const auto& [buffers, layout] : layouts_) {
    api_.DestroyPipelineLayout(handle_, layout.pipeline, nullptr);
    api_.DestroyDescriptorSetLayout(handle_, layout.set, nullptr);
  }
  if (api_.DestroyPipelineCache != nullptr) {
    api_.DestroyPipelineCache(handle_, cache_, nullptr);
  }
  api_.DestroyDevice(handle_, nullptr);
  handle_ = nullptr;
}

std::vector<uint8_t> Gpu::save_pipelines() const {
  size_t size = 0;
  check(api_.GetPipelineCacheData(handle_, cache_, &size, nullptr), "a cache of pipelines");
  std::vector<uint8_t> out(size);
  const VkResult result = api_.GetPipelineCacheData(handle_, cache_, &size, out.data());
  if (result != VK_INCOMPLETE) check(result, "a cache of pipelines");
  out.resize(size);
  return out;
}

void Gpu::load_pipelines(Bytes saved) const {
  // Drivers compare what is behind the first words; of these no broken one can be given to them.
  const VkPhysicalDeviceProperties& p = physical_.properties;
  uint32_t words[4] = {};
  if (saved.size < sizeof words + VK_UUID_SIZE) return;
  std::memcpy(words, saved.data, sizeof words);
  const uint32_t wanted[] = {sizeof words + VK_UUID_SIZE, VK_PIPELINE_CACHE_HEADER_VERSION_ONE,
                             p.vendorID, p.deviceID};
  if (std::memcmp(words, wanted, sizeof words) != 0 ||
      std::memcmp(saved.data + sizeof words, p.pipelineCacheUUID, VK_UUID_SIZE) != 0) {
    return;
  }
  VkPipelineCacheCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO;
  info.initialDataSize = saved.size;
  info.pInitialData = saved.data;
  VkPipelineCache made = VK_NULL_HANDLE;
  check(api_.CreatePipelineCache(handle_, &info, nullptr, &made), "a cache of pipelines");
  const std::lock_guard<std::mutex> lock(mutex_);
  const VkResult result = api_.MergePipelineCaches(handle_, cache_, 1, &made);
  api_.DestroyPipelineCache(handle_, made, nullptr);
  check(result, "a cache of pipelines");
}

const Layout& Gpu::layout(uint32_t buffers) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = layouts_.find(buffers);
  if (found != layouts_.end()) return found->second;
  VkDescriptorSetLayoutBinding bindings[1 + kMostBuffers] = {};
  for (uint32_t i = 0; i <= buffers; ++i) {
    bindings[i].binding = i;
    bindings[i].descriptorType =
        i == 0 ? VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    bindings[i].descriptorCount = 1;
    bindings[i].stageFlags = VK_SHADER_STAGE_COMPUTE_BIT;
  }
  VkDescriptorSetLayoutCreateInfo set = {};
  set.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO;
  set.bindingCount = buffers + 1;
  set.pBindings = bindings;
  Layout made;
  check(api_.CreateDescriptorSetLayout(handle_, &set, nullptr, &made.set), "a layout of buffers");
  VkPipelineLayoutCreateInfo pipeline = {};
  pipeline.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO;
  pipeline.setLayoutCount = 1;
  pipeline.pSetLayouts = &made.set;
  const VkResult result = api_.CreatePipelineLayout(handle_, &pipeline, nullptr, &made.pipeline);
  if (result != VK_SUCCESS) api_.DestroyDescriptorSetLayout(handle_, made.set, nullptr);
  check(result, "a layout of buffers");
  return layouts_[buffers] = made;
}

bool Gpu::can(Variant variant) const {
  switch (variant) {
    case kPlain: return true;
    case kSubgroup: return physical_.subgroup > 0;
    case kDot: return physical_.subgroup > 0 && physical_.dot;
    default: return false;
  }
}

Variant Gpu::variant_of(const KernelEntry& kernel) const {
  Variant best = kPlain;
  for (int v = kPlain; v < kVariants; ++v) {
    const Variant variant = static_cast<Variant>(v);
    if (kernel.modules[v].data != nullptr && can(variant)) best = variant;
  }
  return best;
}

uint32_t Gpu::memory_type(uint32_t allowed, Use use) const {
  constexpr VkMemoryPropertyFlags kLocal = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
  constexpr VkMemoryPropertyFlags kSeen =
      VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  constexpr VkMemoryPropertyFlags kCached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
  // What is wanted, the best first; the last always exists.
  std::vector<VkMemoryPropertyFlags> wanted;
  switch (use) {
    case Use::local:
      if (physical_.unified) wanted.push_back(kLocal | kSeen);
      wanted.insert(wanted.end(), {kLocal, 0});
      break;
    case Use::mapped: wanted = {kLocal | kSeen, kSeen}; break;
    case Use::read: wanted = {kSeen | kCached, kSeen}; break;
    case Use::staged: wanted = {kSeen}; break;
  }
  for (const VkMemoryPropertyFlags flags : wanted) {
    for (uint32_t i = 0; i < physical_.memory.memoryTypeCount; ++i) {
      const VkMemoryPropertyFlags has = physical_.memory.memoryTypes[i].propertyFlags;
      if ((allowed >> i & 1u) != 0 && (has & flags) == flags) return i;
    }
  }
  fail(OC_NO_MEMORY, "%s has no memory of a kind that is needed",
       physical_.properties.deviceName);
}

void Gpu::submit(const VkCommandBuffer* commands, uint32_t count, VkFence fence) const {
  VkSubmitInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
  info.commandBufferCount = count;
  info.pCommandBuffers = commands;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (lost_) fail(OC_DEVICE_LOST, "%s was lost before", physical_.properties.deviceName);
    const VkResult result = api_.QueueSubmit(queue_, 1, &info, fence);
    lost_ = result == VK_ERROR_DEVICE_LOST;
    check(result, "commands for the device");
  }
  const VkResult result = api_.WaitForFences(handle_, 1, &fence, VK_TRUE, kPatienceNs);
  if (result != VK_SUCCESS) {
    const std::lock_guard<std::mutex> lock(mutex_);
    lost_ = true;
  }
  check(result, result == VK_TIMEOUT ? "commands did not end in 15 minutes" : "commands");
  check(api_.ResetFences(handle_, 1, &fence), "a fence");
}

void check_groups(const Gpu& gpu, const char* kernel, const uint32_t* groups) {
  const uint32_t* most = gpu.limits().maxComputeWorkGroupCount;
  for (int i = 0; i < 3; ++i) {
    if (groups[i] <= most[i]) continue;
    fail(OC_BAD_CALL, "kernel %s: %u workgroups in direction %d; the device takes %u", kernel,
         groups[i], i, most[i]);
  }
}

void check_constants(const Gpu& gpu, const KernelEntry& kernel, const uint32_t* constants,
                     size_t count) {
  const char* name = kernel.name.c_str();
  check_constant_list(kernel, constants, count);
  const uint32_t size = constants[0];
  const VkPhysicalDeviceLimits& limits = gpu.limits();
  const uint32_t most =
      std::min(limits.maxComputeWorkGroupInvocations, limits.maxComputeWorkGroupSize[0]);
  if (size > most) {
    fail(OC_NO_DEVICE, "kernel %s: a workgroup of %u; the device takes %u", name, size, most);
  }
  const uint32_t buffers =
      std::min(limits.maxPerStageDescriptorStorageBuffers, limits.maxDescriptorSetStorageBuffers);
  if (kernel.buffers > buffers) {
    fail(OC_NO_DEVICE, "kernel %s: %u buffers; the device takes %u", name, kernel.buffers, buffers);
  }
}

}  // namespace optimum_compile::gpu

#endif
