// A Vulkan instance, and what its devices are and can do.
#ifndef OPTIMUM_COMPILE_GPU_INSTANCE_H
#define OPTIMUM_COMPILE_GPU_INSTANCE_H

#include "optimum_compile/gpu/vulkan.h"

#ifdef OC_VULKAN

#include <mutex>
#include <string>
#include <vector>

#include "optimum_compile/optimum_compile.h"

namespace optimum_compile::gpu {

// What the validation layer says.
class Messages {
 public:
  void add(const char* text);
  int64_t read(std::string* text) const;

 private:
  mutable std::mutex mutex_;
  int64_t count_ = 0;
  std::string first_;  // the first ones, one a line
};

class Instance {
 public:
  explicit Instance(bool validation);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  Api api;
  uint32_t version = 0;
  std::vector<VkPhysicalDevice> devices;
  Messages messages;

 private:
  void close();

  VkInstance handle_ = nullptr;
  VkDebugUtilsMessengerEXT messenger_ = VK_NULL_HANDLE;
};

// A physical device with everything that is decided by.
struct Physical {
  VkPhysicalDevice handle = nullptr;
  VkPhysicalDeviceProperties properties = {};
  VkPhysicalDeviceMemoryProperties memory = {};
  std::string driver, refusal;
  uint32_t queue_family = 0;
  uint32_t clock_bits = 0;        // of its timestamps
  uint32_t subgroup = 0;          // its size, 0 where it cannot add
  bool dot = false;               // packed 4 x 8 bits
  bool dot_extension = false;     // has to be named for that
  const char* priority = nullptr;  // the extension that sets it
  bool unified = false;
  int64_t memory_bytes = 0;
  int64_t most_allocated = 0;  // by one allocation
};

Physical look_at(const Instance& instance, VkPhysicalDevice device);
oc_device_description describe(const Physical& device);

}  // namespace optimum_compile::gpu

#endif  // OC_VULKAN
#endif
