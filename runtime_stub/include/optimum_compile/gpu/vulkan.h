// Vulkan's types, and its functions as they are found at run time: nothing is linked.
#ifndef OPTIMUM_COMPILE_GPU_VULKAN_H
#define OPTIMUM_COMPILE_GPU_VULKAN_H

#if !defined(OC_NO_VULKAN) && defined(__has_include)
#if __has_include(<vulkan/vulkan_core.h>)
#define OC_VULKAN 1
#endif
#endif

#ifdef OC_VULKAN

#ifndef VK_NO_PROTOTYPES
#define VK_NO_PROTOTYPES
#endif
#include <vulkan/vulkan_core.h>

#define OC_VK_GLOBAL(X)                 \
  X(EnumerateInstanceVersion)           \
  X(EnumerateInstanceLayerProperties)   \
  X(EnumerateInstanceExtensionProperties) \
  X(CreateInstance)

#define OC_VK_INSTANCE(X)                  \
  X(DestroyInstance)                       \
  X(EnumeratePhysicalDevices)              \
  X(EnumerateDeviceExtensionProperties)    \
  X(GetPhysicalDeviceProperties)           \
  X(GetPhysicalDeviceProperties2)          \
  X(GetPhysicalDeviceFeatures2)            \
  X(GetPhysicalDeviceMemoryProperties)     \
  X(GetPhysicalDeviceQueueFamilyProperties) \
  X(CreateDevice)                          \
  X(GetDeviceProcAddr)

#define OC_VK_DEVICE(X)           \
  X(DestroyDevice)                \
  X(GetDeviceQueue)               \
  X(DeviceWaitIdle)               \
  X(CreateBuffer)                 \
  X(DestroyBuffer)                \
  X(GetBufferMemoryRequirements)  \
  X(AllocateMemory)               \
  X(FreeMemory)                   \
  X(BindBufferMemory)             \
  X(MapMemory)                    \
  X(CreateShaderModule)           \
  X(DestroyShaderModule)          \
  X(CreateDescriptorSetLayout)    \
  X(DestroyDescriptorSetLayout)   \
  X(CreatePipelineLayout)         \
  X(DestroyPipelineLayout)        \
  X(CreatePipelineCache)          \
  X(DestroyPipelineCache)         \
  X(GetPipelineCacheData)         \
  X(MergePipelineCaches)          \
  X(CreateComputePipelines)       \
  X(DestroyPipeline)              \
  X(CreateDescriptorPool)         \
  X(DestroyDescriptorPool)        \
  X(AllocateDescriptorSets)       \
  X(UpdateDescriptorSets)         \
  X(CreateCommandPool)            \
  X(DestroyCommandPool)           \
  X(AllocateCommandBuffers)       \
  X(FreeCommandBuffers)           \
  X(BeginCommandBuffer)           \
  X(EndCommandBuffer)             \
  X(ResetCommandBuffer)           \
  X(CmdBindPipeline)              \
  X(CmdBindDescriptorSets)        \
  X(CmdDispatch)                  \
  X(CmdDispatchIndirect)          \
  X(CmdPipelineBarrier)           \
  X(CmdCopyBuffer)                \
  X(CmdFillBuffer)                \
  X(CmdResetQueryPool)            \
  X(CmdWriteTimestamp)            \
  X(CreateQueryPool)              \
  X(DestroyQueryPool)             \
  X(GetQueryPoolResults)          \
  X(CreateFence)                  \
  X(DestroyFence)                 \
  X(ResetFences)                  \
  X(WaitForFences)                \
  X(QueueSubmit)

namespace optimum_compile::gpu {

// Entry points; those of an instance and a device are set once there is one.
struct Api {
#define OC_VK_MEMBER(name) PFN_vk##name name = nullptr;
  OC_VK_GLOBAL(OC_VK_MEMBER)
  OC_VK_INSTANCE(OC_VK_MEMBER)
  OC_VK_DEVICE(OC_VK_MEMBER)
#undef OC_VK_MEMBER
  PFN_vkGetInstanceProcAddr GetInstanceProcAddr = nullptr;

  void load_instance(VkInstance instance);
  void load_device(VkDevice device);
};

// Opens the loader; a Failure OC_NO_DEVICE where there is none.
Api open_loader();

// A Failure with the status that belongs to a result, unless it is VK_SUCCESS.
void check(VkResult result, const char* what);
const char* text_of(VkResult result);

}  // namespace optimum_compile::gpu

#endif  // OC_VULKAN
#endif
