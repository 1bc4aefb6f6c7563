// One kernel on buffers of the caller.
#include "optimum_compile/gpu/session.h"

#ifdef OC_VULKAN

#include <cstring>

#include "optimum_compile/runtime/failure.h"

namespace optimum_compile::gpu {
namespace {

Variant variant_of(const Gpu& gpu, const KernelEntry& kernel, const char* name) {
  if (name == nullptr) return gpu.variant_of(kernel);
  for (int v = kPlain; v < kVariants; ++v) {
    if (std::strcmp(name, kVariantNames[v]) != 0) continue;
    const Variant variant = static_cast<Variant>(v);
    if (kernel.modules[v].data == nullptr) {
      fail(OC_BAD_ARGUMENT, "kernel %s has no variant %s", kernel.name.c_str(), name);
    }
    if (!gpu.can(variant)) fail(OC_NO_DEVICE, "the device cannot run the variant %s", name);
    return variant;
  }
  fail(OC_BAD_ARGUMENT, "a variant %s; there are plain, subgroup and dot", name);
}

const KernelEntry& find(const Gpu& gpu, const KernelTable& kernels, const oc_probe_call& call) {
  const KernelEntry* found = call.kernel == nullptr ? nullptr : kernels.find(call.kernel);
  if (found == nullptr) {
    fail(OC_BAD_ARGUMENT, "no kernel %s", call.kernel == nullptr ? "NULL" : call.kernel);
  }
  const bool given = (call.param_count == 0 || call.params != nullptr) &&
                     (call.buffer_count == 0 || call.buffers != nullptr) &&
                     call.constants != nullptr;
  if (!given) fail(OC_BAD_ARGUMENT, "constants, params or buffers are NULL");
  if (call.param_count != found->params || call.buffer_count != found->buffers) {
    fail(OC_BAD_ARGUMENT, "kernel %s has %u params and %u buffers, not %zu and %zu", call.kernel,
         found->params, found->buffers, call.param_count, call.buffer_count);
  }
  check_constants(gpu, *found, call.constants, call.constant_count);
  check_groups(gpu, call.kernel, call.groups);
  const uint64_t most = gpu.limits().maxStorageBufferRange;
  for (size_t i = 0; i < call.buffer_count; ++i) {
    const size_t bytes = call.buffers[i].bytes;
    if (bytes > 0 && bytes % 4 == 0 && bytes <= most) continue;
    fail(OC_BAD_ARGUMENT, "buffer %zu of kernel %s has %zu bytes; words, at most %llu bytes", i,
         call.kernel, bytes, static_cast<unsigned long long>(most));
  }
  return *found;
}

// Two clocks, before and behind.
class Clock {
 public:
  explicit Clock(const Gpu& gpu) : gpu_(gpu) {
    if (gpu.physical().clock_bits == 0) return;
    VkQueryPoolCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO;
    info.queryType = VK_QUERY_TYPE_TIMESTAMP;
    info.queryCount = 2;
    check(gpu.api().CreateQueryPool(gpu.handle(), &info, nullptr, &pool_), "clocks");
  }
  ~Clock() { gpu_.api().DestroyQueryPool(gpu_.handle(), pool_, nullptr); }
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;

  void reset(VkCommandBuffer commands) const {
    if (pool_ != VK_NULL_HANDLE) gpu_.api().CmdResetQueryPool(commands, pool_, 0, 2);
  }
  void write(VkCommandBuffer commands, uint32_t which) const {
    if (pool_ == VK_NULL_HANDLE) return;
    gpu_.api().CmdWriteTimestamp(commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, pool_, which);
  }
  int64_t between_ns() const {
    uint64_t at[2] = {0, 0};
    if (pool_ == VK_NULL_HANDLE) return 0;
    check(gpu_.api().GetQueryPoolResults(gpu_.handle(), pool_, 0, 2, sizeof at, at, 8,
                                         VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT),
          "clocks");
    const uint32_t bits = gpu_.physical().clock_bits;
    const uint64_t mask = bits >= 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1;
    const double ticks = static_cast<double>((at[1] - at[0]) & mask);
    return static_cast<int64_t>(ticks * static_cast<double>(gpu_.limits().timestampPeriod));
  }

 private:
  const Gpu& gpu_;
  VkQueryPool pool_ = VK_NULL_HANDLE;
};

struct Operand {
  GpuBuffer local, host;
};

void copy(const Gpu& gpu, VkCommandBuffer commands, const GpuBuffer& from, const GpuBuffer& to) {
  const VkBufferCopy all = {0, 0, static_cast<VkDeviceSize>(from.size())};
  gpu.api().CmdCopyBuffer(commands, from.handle(), to.handle(), 1, &all);
}

}  // namespace

void run_probe(const std::shared_ptr<Gpu>& gpu, const KernelTable& kernels, oc_probe_call* call) {
  const KernelEntry& kernel = find(*gpu, kernels, *call);
  const Api& api = gpu->api();
  const Pipeline pipeline(gpu, kernel, variant_of(*gpu, kernel, call->variant), call->constants);
  const uint32_t count = kernel.buffers;

  GpuBuffer params(gpu, kParamBytes, Use::mapped, "params");
  std::memset(params.data(), 0, static_cast<size_t>(kParamBytes));
  if (call->param_count > 0) std::memcpy(params.data(), call->params, 4 * call->param_count);
  Operand operands[kMostBuffers];
  VkDescriptorBufferInfo infos[kMostBuffers] = {};
  for (uint32_t i = 0; i < count; ++i) {
    const oc_probe_buffer& given = call->buffers[i];
    const int64_t bytes = static_cast<int64_t>(given.bytes);
    operands[i].local = GpuBuffer(gpu, bytes, Use::local, "a buffer");
    operands[i].host = GpuBuffer(gpu, bytes, Use::read, "a buffer of the host");
    if (given.in != nullptr) std::memcpy(operands[i].host.data(), given.in, given.bytes);
    if (given.in == nullptr) std::memset(operands[i].host.data(), 0, given.bytes);
    infos[i] = {operands[i].local.handle(), 0, VK_WHOLE_SIZE};
  }
  const SetPool pool(gpu, 1, count);
  const VkDescriptorSet set = pool.make(params.handle(), infos, count);
  const Clock clock(*gpu);
  const Commands commands(gpu);
  const VkCommandBuffer c = commands.make();
  commands.begin(c, true);
  clock.reset(c);
  for (uint32_t i = 0; i < count; ++i) copy(*gpu, c, operands[i].host, operands[i].local);
  wait_for_all(*gpu, c);
  const uint32_t offset = 0;
  api.CmdBindPipeline(c, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.handle());
  api.CmdBindDescriptorSets(c, VK_PIPELINE_BIND_POINT_COMPUTE, gpu->layout(count).pipeline, 0, 1,
                            &set, 1, &offset);
  clock.write(c, 0);
  for (uint32_t n = 0; n < (call->repeats == 0 ? 1 : call->repeats); ++n) {
    api.CmdDispatch(c, call->groups[0], call->groups[1], call->groups[2]);
    wait_for_all(*gpu, c);
  }
  clock.write(c, 1);
  for (uint32_t i = 0; i < count; ++i) copy(*gpu, c, operands[i].local, operands[i].host);
  wait_for_all(*gpu, c);
  commands.end(c);
  commands.run(&c, 1);
  call->gpu_ns = clock.between_ns();
  for (uint32_t i = 0; i < count; ++i) {
    const oc_probe_buffer& given = call->buffers[i];
    if (given.out != nullptr) std::memcpy(given.out, operands[i].host.data(), given.bytes);
  }
}

}  // namespace optimum_compile::gpu

#endif
