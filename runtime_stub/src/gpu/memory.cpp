// Buffers, pipelines, commands and sets: each owns what it made.
#include <cstring>
#include <utility>

#include "optimum_compile/gpu/device.h"
#include "optimum_compile/runtime/failure.h"

#ifdef OC_VULKAN

namespace optimum_compile::gpu {

GpuBuffer::GpuBuffer(std::shared_ptr<const Gpu> gpu, int64_t bytes, Use use, const char* what)
    : gpu_(std::move(gpu)), size_(bytes) {
  if (bytes <= 0) return;
  const Api& api = gpu_->api();
  const int64_t most = gpu_->physical().most_allocated;
  if (bytes > most) {
    fail(OC_NO_MEMORY, "%s of %lld bytes; %s gives %lld at once", what,
         static_cast<long long>(bytes), gpu_->physical().properties.deviceName,
         static_cast<long long>(most));
  }
  VkBufferCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
  info.size = static_cast<VkDeviceSize>(bytes);
  info.usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
  if (use == Use::local) info.usage |= VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;
  if (use == Use::mapped) {
    info.usage |= VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT |
                  VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT;
  }
  try {
    const std::string name = std::string(what) + " of " + std::to_string(bytes) + " bytes";
    check(api.CreateBuffer(gpu_->handle(), &info, nullptr, &buffer_), name.c_str());
    VkMemoryRequirements needs = {};
    api.GetBufferMemoryRequirements(gpu_->handle(), buffer_, &needs);
    VkMemoryAllocateInfo memory = {};
    memory.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
    memory.allocationSize = needs.size;
    memory.memoryTypeIndex = gpu_->memory_type(needs.memoryTypeBits, use);
    check(api.AllocateMemory(gpu_->handle(), &memory, nullptr, &memory_), name.c_str());
    check(api.BindBufferMemory(gpu_->handle(), buffer_, memory_, 0), name.c_str());
    if (use != Use::local || gpu_->physical().unified) {
      void* data = nullptr;
      check(api.MapMemory(gpu_->handle(), memory_, 0, VK_WHOLE_SIZE, 0, &data), name.c_str());
      data_ = static_cast<uint8_t*>(data);
    }
  } catch (...) {
    GpuBuffer dropped(std::move(*this));
    throw;
  }
}

GpuBuffer::~GpuBuffer() {
  if (gpu_ == nullptr) return;
  gpu_->api().DestroyBuffer(gpu_->handle(), buffer_, nullptr);
  gpu_->api().FreeMemory(gpu_->handle(), memory_, nullptr);
}

GpuBuffer::GpuBuffer(GpuBuffer&& other) noexcept { *this = std::move(other); }

GpuBuffer& GpuBuffer::operator=(GpuBuffer&& other) noexcept {
  std::swap(gpu_, other.gpu_);
  std::swap(buffer_, other.buffer_);
  std::swap(memory_, other.memory_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

Pipeline::Pipeline(std::shared_ptr<const Gpu> gpu, const KernelEntry& kernel, Variant variant,
                   const uint32_t* constants)
    : gpu_(std::move(gpu)) {
  const Api& api = gpu_->api();
  const Bytes module = kernel.modules[variant];
  VkShaderModuleCreateInfo code = {};
  code.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO;
  code.codeSize = module.size;
  code.pCode = reinterpret_cast<const uint32_t*>(module.data);
  VkShaderModule made = VK_NULL_HANDLE;
  check(api.CreateShaderModule(gpu_->handle(), &code, nullptr, &made), kernel.name.c_str());

  VkSpecializationMapEntry entries[kMostConstants];
  for (uint32_t i = 0; i < kernel.constants; ++i) entries[i] = {i, 4 * i, 4};
  const VkSpecializationInfo special = {kernel.constants, entries, 4 * kernel.constants, constants};
  VkComputePipelineCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO;
  info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
  info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
  info.stage.module = made;
  info.stage.pName = "main";
  info.stage.pSpecializationInfo = &special;
  VkResult result = VK_ERROR_OUT_OF_HOST_MEMORY;
  try {
    info.layout = gpu_->layout(kernel.buffers).pipeline;
    result = api.CreateComputePipelines(gpu_->handle(), gpu_->cache(), 1, &info, nullptr, &handle_);
  } catch (...) {
    api.DestroyShaderModule(gpu_->handle(), made, nullptr);
    throw;
  }
  api.DestroyShaderModule(gpu_->handle(), made, nullptr);
  check(result, ("kernel " + kernel.name).c_str());
}

Pipeline::~Pipeline() { gpu_->api().DestroyPipeline(gpu_->handle(), handle_, nullptr); }

Commands::Commands(std::shared_ptr<const Gpu> gpu) : gpu_(std::move(gpu)) {
  const Api& api = gpu_->api();
  VkCommandPoolCreateInfo pool = {};
  pool.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
  pool.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
  pool.queueFamilyIndex = gpu_->physical().queue_family;
  check(api.CreateCommandPool(gpu_->handle(), &pool, nullptr, &pool_), "a pool of commands");
  VkFenceCreateInfo fence = {};
  fence.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO;
  const VkResult result = api.CreateFence(gpu_->handle(), &fence, nullptr, &fence_);
  if (result != VK_SUCCESS) api.DestroyCommandPool(gpu_->handle(), pool_, nullptr);
  check(result, "a fence");
}

Commands::~Commands() {
  gpu_->api().DestroyFence(gpu_->handle(), fence_, nullptr);
  gpu_->api().DestroyCommandPool(gpu_->handle(), pool_, nullptr);
}

VkCommandBuffer Commands::make() const {
  VkCommandBufferAllocateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
  info.commandPool = pool_;
  info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
  info.commandBufferCount = 1;
  VkCommandBuffer made = nullptr;
  check(gpu_->api().AllocateCommandBuffers(gpu_->handle(), &info, &made), "room for commands");
  return made;
}

void Commands::drop(VkCommandBuffer commands) const {
  gpu_->api().FreeCommandBuffers(gpu_->handle(), pool_, 1, &commands);
}

void Commands::begin(VkCommandBuffer commands, bool once) const {
  VkCommandBufferBeginInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
  info.flags = once ? VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT : 0;
  check(gpu_->api().BeginCommandBuffer(commands, &info), "commands");
}

void Commands::end(VkCommandBuffer commands) const {
  check(gpu_->api().EndCommandBuffer(commands), "commands");
}

void Commands::run(const VkCommandBuffer* commands, uint32_t count) const {
  gpu_->submit(commands, count, fence_);
}

SetPool::SetPool(std::shared_ptr<const Gpu> gpu, uint32_t sets, uint32_t buffers)
    : gpu_(std::move(gpu)) {
  const VkDescriptorPoolSize sizes[] = {
      {VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC, sets},
      {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, buffers == 0 ? 1 : buffers}};
  VkDescriptorPoolCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO;
  info.maxSets = sets;
  info.poolSizeCount = 2;
  info.pPoolSizes = sizes;
  check(gpu_->api().CreateDescriptorPool(gpu_->handle(), &info, nullptr, &pool_),
        "a pool of descriptor sets");
}

SetPool::~SetPool() { gpu_->api().DestroyDescriptorPool(gpu_->handle(), pool_, nullptr); }

VkDescriptorSet SetPool::make(VkBuffer params, const VkDescriptorBufferInfo* buffers,
                              uint32_t count) const {
  VkDescriptorSetAllocateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO;
  info.descriptorPool = pool_;
  info.descriptorSetCount = 1;
  const VkDescriptorSetLayout layout = gpu_->layout(count).set;
  info.pSetLayouts = &layout;
  VkDescriptorSet set = VK_NULL_HANDLE;
  check(gpu_->api().AllocateDescriptorSets(gpu_->handle(), &info, &set), "a descriptor set");
  const VkDescriptorBufferInfo first = {params, 0, static_cast<VkDeviceSize>(kParamBytes)};
  VkWriteDescriptorSet writes[2] = {};
  for (VkWriteDescriptorSet& w : writes) {
    w.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
    w.dstSet = set;
  }
  writes[0].descriptorCount = 1;
  writes[0].descriptorType = VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC;
  writes[0].pBufferInfo = &first;
  // Bindings of one type that follow each other are written as one.
  writes[1].dstBinding = 1;
  writes[1].descriptorCount = count;
  writes[1].descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
  writes[1].pBufferInfo = buffers;
  gpu_->api().UpdateDescriptorSets(gpu_->handle(), count == 0 ? 1 : 2, writes, 0, nullptr);
  return set;
}

void wait_for_kernels(const Gpu& gpu, VkCommandBuffer commands) {
  constexpr VkPipelineStageFlags kStage = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT;
  VkMemoryBarrier barrier = {};
  barrier.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
  barrier.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT;
  barrier.dstAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT;
  gpu.api().CmdPipelineBarrier(commands, kStage, kStage, 0, 1, &barrier, 0, nullptr, 0, nullptr);
}

void wait_for_all(const Gpu& gpu, VkCommandBuffer commands) {
  constexpr VkPipelineStageFlags kStages = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT |
                                           VK_PIPELINE_STAGE_TRANSFER_BIT;
  VkMemoryBarrier barrier = {};
  barrier.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
  barrier.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;
  barrier.dstAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT |
                          VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT |
                          VK_ACCESS_HOST_READ_BIT;
  gpu.api().CmdPipelineBarrier(commands, kStages, kStages | VK_PIPELINE_STAGE_HOST_BIT, 0, 1,
                               &barrier, 0, nullptr, 0, nullptr);
}

}  // namespace optimum_compile::gpu

#endif
