// Vulkan's devices as the runtime's.
#include <utility>

#include "optimum_compile/gpu/device.h"
#include "optimum_compile/gpu/session.h"
#include "optimum_compile/runtime/device.h"
#include "optimum_compile/runtime/failure.h"

namespace optimum_compile {

#ifdef OC_VULKAN

namespace {

using namespace gpu;

class Vulkan : public Device {
 public:
  explicit Vulkan(std::shared_ptr<Gpu> gpu)
      : gpu_(std::move(gpu)), kernels_(std::make_shared<KernelTable>(built_in_kernels())) {}

  oc_device_description describe() const override { return gpu::describe(gpu_->physical()); }
  int64_t messages(std::string* text) const override {
    return gpu_->instance().messages.read(text);
  }
  std::vector<uint8_t> save_kernels() const override { return gpu_->save_pipelines(); }
  void load_kernels(Bytes saved) override { gpu_->load_pipelines(saved); }
  void use_kernels(Bytes table) override { kernels_ = std::make_shared<KernelTable>(table); }
  void probe(oc_probe_call* call) override { run_probe(gpu_, *kernels_, call); }
  std::unique_ptr<Session> session(std::shared_ptr<const Program> program,
                                   int64_t bytes_max) override {
    return make_session(gpu_, models_.get(gpu_, kernels_, program), bytes_max);
  }

 private:
  const std::shared_ptr<Gpu> gpu_;
  std::shared_ptr<const KernelTable> kernels_;
  GpuModels models_;
};

}  // namespace

std::vector<oc_device_description> vulkan_devices() {
  const Instance instance(false);
  std::vector<oc_device_description> out;
  for (const VkPhysicalDevice each : instance.devices) {
    out.push_back(gpu::describe(look_at(instance, each)));
  }
  return out;
}

std::shared_ptr<Device> open_vulkan(int64_t index, uint32_t flags) {
  auto instance = std::make_shared<Instance>((flags & OC_DEVICE_VALIDATION) != 0);
  if (static_cast<size_t>(index) >= instance->devices.size()) {
    fail(OC_NO_DEVICE, "Vulkan has %zu devices", instance->devices.size());
  }
  Physical physical = look_at(*instance, instance->devices[static_cast<size_t>(index)]);
  physical.unified = physical.unified && (flags & OC_PROBE_APART) == 0;
  return std::make_shared<Vulkan>(std::make_shared<Gpu>(std::move(instance), physical, flags));
}

#else

namespace {

[[noreturn]] void absent() {
  fail(OC_NO_DEVICE, "this runtime was built without Vulkan: its headers were missing (Debian: "
                     "libvulkan-dev)");
}

}  // namespace

std::vector<oc_device_description> vulkan_devices() { absent(); }
std::shared_ptr<Device> open_vulkan(int64_t, uint32_t) { absent(); }

#endif

}  // namespace optimum_compile
