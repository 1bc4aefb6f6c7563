// What a device is and can do, or why it cannot be used.
#include "optimum_compile/gpu/instance.h"

#ifdef OC_VULKAN

#include <algorithm>
#include <cstring>

#include "optimum_compile/runtime/device.h"

namespace optimum_compile::gpu {
namespace {

// Of kernels: their largest workgroup, their shared memory, the words of their params.
constexpr uint32_t kInvocations = 128, kSharedBytes = 16384, kUniformBytes = 256;

std::vector<VkExtensionProperties> extensions_of(const Api& api, VkPhysicalDevice device) {
  uint32_t count = 0;
  if (api.EnumerateDeviceExtensionProperties(device, nullptr, &count, nullptr) != VK_SUCCESS) {
    return {};
  }
  std::vector<VkExtensionProperties> found(count);
  api.EnumerateDeviceExtensionProperties(device, nullptr, &count, found.data());
  found.resize(count);
  return found;
}

bool has(const std::vector<VkExtensionProperties>& found, const char* name) {
  return std::any_of(found.begin(), found.end(),
                     [&](const auto& each) { return std::strcmp(each.extensionName, name) == 0; });
}

// A family that computes; one that does not draw leaves the drawing of others alone.
bool choose_queue(const Api& api, Physical* p) {
  uint32_t count = 0;
  api.GetPhysicalDeviceQueueFamilyProperties(p->handle, &count, nullptr);
  std::vector<VkQueueFamilyProperties> found(count);
  api.GetPhysicalDeviceQueueFamilyProperties(p->handle, &count, found.data());
  bool good = false;
  for (uint32_t i = 0; i < count; ++i) {
    const VkQueueFamilyProperties& f = found[i];
    const bool draws = (f.queueFlags & VK_QUEUE_GRAPHICS_BIT) != 0;
    if (f.queueCount == 0 || (f.queueFlags & VK_QUEUE_COMPUTE_BIT) == 0) continue;
    if (good && draws) continue;
    p->queue_family = i;
    p->clock_bits = f.timestampValidBits;
    good = true;
    if (!draws) break;
  }
  return good;
}

void look_at_memory(Physical* p) {
  constexpr VkMemoryPropertyFlags kBoth = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT |
                                          VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                          VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  const bool shares = p->properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU ||
                      p->properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
  for (uint32_t i = 0; i < p->memory.memoryTypeCount; ++i) {
    p->unified = p->unified || (shares && (p->memory.memoryTypes[i].propertyFlags & kBoth) == kBoth);
  }
  for (uint32_t i = 0; i < p->memory.memoryHeapCount; ++i) {
    const VkMemoryHeap& heap = p->memory.memoryHeaps[i];
    if ((heap.flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) == 0) continue;
    p->memory_bytes = std::max(p->memory_bytes, static_cast<int64_t>(heap.size));
  }
}

// The packed dot product: an extension, or part of Vulkan 1.3.
void look_at_dot(const Instance& instance, const std::vector<VkExtensionProperties>& extensions,
                 Physical* p) {
#ifdef VK_KHR_shader_integer_dot_product
  p->dot_extension = has(extensions, VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME);
  const uint32_t version = std::min(instance.version, p->properties.apiVersion);
  if (!p->dot_extension && version < VK_API_VERSION_1_3) return;
  VkPhysicalDeviceShaderIntegerDotProductFeaturesKHR dot = {};
  dot.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES_KHR;
  VkPhysicalDeviceFeatures2 features = {};
  features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
  features.pNext = &dot;
  instance.api.GetPhysicalDeviceFeatures2(p->handle, &features);
  p->dot = dot.shaderIntegerDotProduct == VK_TRUE;
#else
  (void)instance, (void)extensions, (void)p;
#endif
}

std::string refusal_of(const Physical& p) {
  const VkPhysicalDeviceLimits& limits = p.properties.limits;
  const auto at_most = [](const char* what, uint64_t has, uint64_t needed) {
    return std::string(what) + " is " + std::to_string(has) + "; " + std::to_string(needed) +
           " are needed";
  };
  if (limits.maxComputeWorkGroupInvocations < kInvocations) {
    return at_most("its largest workgroup", limits.maxComputeWorkGroupInvocations, kInvocations);
  }
  if (limits.maxComputeSharedMemorySize < kSharedBytes) {
    return at_most("its shared memory", limits.maxComputeSharedMemorySize, kSharedBytes);
  }
  if (limits.minUniformBufferOffsetAlignment > kUniformBytes ||
      limits.minStorageBufferOffsetAlignment > kUniformBytes) {
    return "it wants buffers at multiples of more than 256 bytes";
  }
  return "";
}

oc_device_type type_of(VkPhysicalDeviceType type) {
  switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU: return OC_DEVICE_INTEGRATED;
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU: return OC_DEVICE_DISCRETE;
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU: return OC_DEVICE_VIRTUAL;
    case VK_PHYSICAL_DEVICE_TYPE_CPU: return OC_DEVICE_SOFTWARE;
    default: return OC_DEVICE_OTHER;
  }
}

std::string version_text(uint32_t version) {
  return std::to_string(VK_VERSION_MAJOR(version)) + "." +
         std::to_string(VK_VERSION_MINOR(version)) + "." +
         std::to_string(VK_VERSION_PATCH(version));
}

}  // namespace

Physical look_at(const Instance& instance, VkPhysicalDevice device) {
  const Api& api = instance.api;
  Physical p;
  p.handle = device;
  api.GetPhysicalDeviceProperties(device, &p.properties);
  p.driver = "Vulkan " + version_text(p.properties.apiVersion);
  if (p.properties.apiVersion < VK_API_VERSION_1_1) {
    p.refusal = "its driver has " + p.driver + "; 1.1 is needed";
    return p;
  }
  const std::vector<VkExtensionProperties> extensions = extensions_of(api, device);
  const bool names_driver = has(extensions, VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME);
  VkPhysicalDeviceDriverPropertiesKHR driver = {};
  driver.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES_KHR;
  VkPhysicalDeviceMaintenance3Properties sizes = {};
  sizes.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES;
  sizes.pNext = names_driver ? &driver : nullptr;
  VkPhysicalDeviceSubgroupProperties subgroup = {};
  subgroup.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES;
  subgroup.pNext = &sizes;
  VkPhysicalDeviceProperties2 all = {};
  all.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
  all.pNext = &subgroup;
  api.GetPhysicalDeviceProperties2(device, &all);
  if (names_driver) p.driver += std::string(", ") + driver.driverName + " " + driver.driverInfo;
  p.most_allocated = static_cast<int64_t>(
      std::min<VkDeviceSize>(sizes.maxMemoryAllocationSize, VkDeviceSize{1} << 46));

  constexpr VkSubgroupFeatureFlags kAdd =
      VK_SUBGROUP_FEATURE_BASIC_BIT | VK_SUBGROUP_FEATURE_ARITHMETIC_BIT;
  if ((subgroup.supportedStages & VK_SHADER_STAGE_COMPUTE_BIT) != 0 &&
      (subgroup.supportedOperations & kAdd) == kAdd) {
    p.subgroup = subgroup.subgroupSize;
  }
  api.GetPhysicalDeviceMemoryProperties(device, &p.memory);
  look_at_memory(&p);
  look_at_dot(instance, extensions, &p);
  for (const char* name : {"VK_KHR_global_priority", VK_EXT_GLOBAL_PRIORITY_EXTENSION_NAME}) {
    if (p.priority == nullptr && has(extensions, name)) p.priority = name;
  }
  p.refusal = choose_queue(api, &p) ? refusal_of(p) : "none of its queues computes";
  return p;
}

oc_device_description describe(const Physical& p) {
  oc_device_description out = {};
  put_text(p.properties.deviceName, out.name, sizeof out.name);
  put_text(p.driver, out.driver, sizeof out.driver);
  put_text(p.refusal, out.refusal, sizeof out.refusal);
  out.memory_bytes = p.memory_bytes;
  out.buffer_bytes = static_cast<int64_t>(p.properties.limits.maxStorageBufferRange);
  out.kind = OC_DEVICE_VULKAN;
  out.type = type_of(p.properties.deviceType);
  out.unified = p.unified;
  out.subgroup = static_cast<int32_t>(p.subgroup);
  out.dot = p.dot;
  out.low_priority = p.priority != nullptr;
  return out;
}

}  // namespace optimum_compile::gpu

#endif
