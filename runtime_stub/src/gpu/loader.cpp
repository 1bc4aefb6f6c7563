#include "optimum_compile/gpu/vulkan.h"

#ifdef OC_VULKAN

#include <dlfcn.h>

#include "optimum_compile/runtime/failure.h"

namespace optimum_compile::gpu {
namespace {

oc_status status_of(VkResult result) {
  switch (result) {
    case VK_ERROR_OUT_OF_HOST_MEMORY:
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
    case VK_ERROR_OUT_OF_POOL_MEMORY:
    case VK_ERROR_FRAGMENTED_POOL:
    case VK_ERROR_TOO_MANY_OBJECTS: return OC_NO_MEMORY;
    case VK_ERROR_DEVICE_LOST:
    case VK_TIMEOUT: return OC_DEVICE_LOST;
    case VK_ERROR_INCOMPATIBLE_DRIVER:
    case VK_ERROR_INITIALIZATION_FAILED:
    case VK_ERROR_LAYER_NOT_PRESENT:
    case VK_ERROR_EXTENSION_NOT_PRESENT:
    case VK_ERROR_FEATURE_NOT_PRESENT: return OC_NO_DEVICE;
    default: return OC_DEVICE_ERROR;
  }
}

// The library stays open: drivers start threads of their own and do not survive being unloaded.
void* open_library(std::string* why) {
  for (const char* name : {"libvulkan.so.1", "libvulkan.so"}) {
    if (void* found = dlopen(name, RTLD_NOW | RTLD_LOCAL)) return found;
    if (why->empty()) *why = dlerror();
  }
  return nullptr;
}

}  // namespace

const char* text_of(VkResult result) {
  switch (result) {
#define OC_VK_TEXT(name) \
  case name: return #name;
    OC_VK_TEXT(VK_SUCCESS)
    OC_VK_TEXT(VK_NOT_READY)
    OC_VK_TEXT(VK_TIMEOUT)
    OC_VK_TEXT(VK_INCOMPLETE)
    OC_VK_TEXT(VK_ERROR_OUT_OF_HOST_MEMORY)
    OC_VK_TEXT(VK_ERROR_OUT_OF_DEVICE_MEMORY)
    OC_VK_TEXT(VK_ERROR_INITIALIZATION_FAILED)
    OC_VK_TEXT(VK_ERROR_DEVICE_LOST)
    OC_VK_TEXT(VK_ERROR_MEMORY_MAP_FAILED)
    OC_VK_TEXT(VK_ERROR_LAYER_NOT_PRESENT)
    OC_VK_TEXT(VK_ERROR_EXTENSION_NOT_PRESENT)
    OC_VK_TEXT(VK_ERROR_FEATURE_NOT_PRESENT)
    OC_VK_TEXT(VK_ERROR_INCOMPATIBLE_DRIVER)
    OC_VK_TEXT(VK_ERROR_TOO_MANY_OBJECTS)
    OC_VK_TEXT(VK_ERROR_FRAGMENTED_POOL)
    OC_VK_TEXT(VK_ERROR_OUT_OF_POOL_MEMORY)
#undef OC_VK_TEXT
    default: return "an error of the driver";
  }
}

void check(VkResult result, const char* what) {
  if (result == VK_SUCCESS) return;
  fail(status_of(result), "%s: %s (%d)", what, text_of(result), static_cast<int>(result));
}

void Api::load_instance(VkInstance instance) {
#define OC_VK_LOAD(name)                                                              \
  name = reinterpret_cast<PFN_vk##name>(GetInstanceProcAddr(instance, "vk" #name));   \
  if (name == nullptr) fail(OC_NO_DEVICE, "the Vulkan driver has no function vk" #name);
  OC_VK_INSTANCE(OC_VK_LOAD)
#undef OC_VK_LOAD
}

void Api::load_device(VkDevice device) {
#define OC_VK_LOAD(name)                                                              \
  name = reinterpret_cast<PFN_vk##name>(GetDeviceProcAddr(device, "vk" #name));       \
  if (name == nullptr) fail(OC_NO_DEVICE, "the Vulkan driver has no function vk" #name);
  OC_VK_DEVICE(OC_VK_LOAD)
#undef OC_VK_LOAD
}

Api open_loader() {
  std::string why;
  static void* const library = open_library(&why);
  if (library == nullptr) {
    fail(OC_NO_DEVICE, "no Vulkan loader (Debian: libvulkan1 and a driver): %s",
         why.empty() ? "libvulkan.so.1 cannot be opened" : why.c_str());
  }
  Api api;
  api.GetInstanceProcAddr =
      reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(library, "vkGetInstanceProcAddr"));
  if (api.GetInstanceProcAddr == nullptr) fail(OC_NO_DEVICE, "libvulkan is no Vulkan loader");
#define OC_VK_LOAD(name) \
  api.name = reinterpret_cast<PFN_vk##name>(api.GetInstanceProcAddr(nullptr, "vk" #name));
  OC_VK_GLOBAL(OC_VK_LOAD)
#undef OC_VK_LOAD
  if (api.EnumerateInstanceVersion == nullptr || api.CreateInstance == nullptr) {
    fail(OC_NO_DEVICE, "the Vulkan loader has version 1.0; 1.1 is needed");
  }
  return api;
}

}  // namespace optimum_compile::gpu

#endif
