// Metal's devices, their memory and pipelines, and the weights of a program on them.
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <map>
#include <utility>

#include "optimum_compile/gpu/metal.h"
#include "optimum_compile/runtime/failure.h"

// The kernels as Metal takes them, linked into this library by CMakeLists.txt.
#ifdef OC_METALLIB
__asm__(".section __TEXT,__const\n"
        ".balign 64\n_oc_metallib_begin:\n"
        ".incbin \"" OC_METALLIB "\"\n_oc_metallib_end:\n"
        ".byte 0\n.text\n");
extern "C" {
extern const uint8_t oc_metallib_begin[] __attribute__((visibility("hidden")));
extern const uint8_t oc_metallib_end[] __attribute__((visibility("hidden")));
}
#endif

namespace optimum_compile {
namespace gpu::metal {
namespace {

constexpr int64_t kBufferBytes = int64_t{1} << 30;  // of copied weights in one buffer
constexpr int64_t kSimd = 32;

std::string text_of(NSString* text) { return text == nil ? "" : text.UTF8String; }

NSArray<id<MTLDevice>>* all_devices() {
#if TARGET_OS_OSX
  return MTLCopyAllDevices();
#else
  id<MTLDevice> only = MTLCreateSystemDefaultDevice();
  return only == nil ? @[] : @[ only ];
#endif
}

bool can(id<MTLDevice> device) {
  // Sums over a SIMD group: A14, M1, or a Mac's GPU of the second family.
  return [device supportsFamily:MTLGPUFamilyApple7] || [device supportsFamily:MTLGPUFamilyMac2];
}

oc_device_description describe(id<MTLDevice> device) {
  oc_device_description out = {};
  put_text(text_of(device.name), out.name, sizeof out.name);
  put_text("Metal", out.driver, sizeof out.driver);
  if (!can(device)) {
    put_text("it has no sums over SIMD groups (A14, M1 and newer)", out.refusal,
             sizeof out.refusal);
  }
#if TARGET_OS_OSX
  out.memory_bytes = static_cast<int64_t>(device.recommendedMaxWorkingSetSize);
#else
  out.memory_bytes = static_cast<int64_t>(NSProcessInfo.processInfo.physicalMemory);
#endif
  out.buffer_bytes = static_cast<int64_t>(device.maxBufferLength);
  out.kind = OC_DEVICE_METAL;
  out.unified = device.hasUnifiedMemory;
  out.type = out.unified ? OC_DEVICE_INTEGRATED : OC_DEVICE_DISCRETE;
  out.subgroup = kSimd;
  return out;
}

std::shared_ptr<const Context> open_context(id<MTLDevice> device) {
  auto out = std::make_shared<Context>();
  out->device = device;
  out->name = text_of(device.name);
  out->queue = [device newCommandQueue];
  if (out->queue == nil) fail(OC_DEVICE_ERROR, "%s gives no queue", out->name.c_str());
#ifdef OC_METALLIB
  const size_t bytes = static_cast<size_t>(oc_metallib_end - oc_metallib_begin);
  dispatch_data_t data = dispatch_data_create(oc_metallib_begin, bytes, nullptr, ^{
  });
  NSError* error = nil;
  out->library = [device newLibraryWithData:data error:&error];
  if (out->library == nil) fail_with(OC_DEVICE_ERROR, "the library of kernels", error);
#else
  fail(OC_NO_DEVICE, "this runtime was built without kernels for Metal");
#endif
  return out;
}

class Metal : public Device {
 public:
  explicit Metal(id<MTLDevice> device)
      : context_(open_context(device)),
        kernels_(std::make_shared<const KernelTable>(built_in_kernels())) {}

  oc_device_description describe() const override { return metal::describe(context_->device); }
  void probe(oc_probe_call* call) override { run_probe(*context_, *kernels_, call); }
  std::unique_ptr<Session> session(std::shared_ptr<const Program> program,
                                   int64_t bytes_max) override {
    return std::make_unique<MetalSession>(context_, model(program), bytes_max);
  }

 private:
  // One for each program, as long as a session of it is there.
  std::shared_ptr<const Model> model(const std::shared_ptr<const Program>& program) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (auto it = models_.begin(); it != models_.end();) {
      it = it->second.expired() ? models_.erase(it) : std::next(it);
    }
    std::shared_ptr<const Model> found = models_[program.get()].lock();
    if (found == nullptr) {
      found = std::make_shared<const Model>(context_, *kernels_, program);
      models_[program.get()] = found;
    }
    return found;
  }

  const std::shared_ptr<const Context> context_;
  const std::shared_ptr<const KernelTable> kernels_;  // models point into it
  std::mutex mutex_;
  std::map<const Program*, std::weak_ptr<const Model>> models_;
};

}  // namespace

void fail_with(oc_status status, const std::string& what, NSError* error) {
  fail(status, "%s: %s", what.c_str(),
       error == nil ? "no reason given" : text_of(error.localizedDescription).c_str());
}

id<MTLBuffer> make_buffer(const Context& context, int64_t bytes, bool seen, const char* what) {
  const MTLResourceOptions mode = seen ? MTLResourceStorageModeShared : MTLResourceStorageModePrivate;
  id<MTLBuffer> made = nil;
  if (bytes > 0 && static_cast<uint64_t>(bytes) <= context.device.maxBufferLength) {
    made = [context.device newBufferWithLength:static_cast<NSUInteger>(bytes) options:mode];
  }
  if (made == nil) {
    fail(OC_NO_MEMORY, "%s of %lld bytes on %s, which gives %llu at once", what,
         static_cast<long long>(bytes), context.name.c_str(),
         static_cast<unsigned long long>(context.device.maxBufferLength));
  }
  return made;
}

id<MTLComputePipelineState> make_pipeline(const Context& context, const KernelEntry& kernel,
                                          const uint32_t* constants, size_t count) {
  MTLFunctionConstantValues* values = [MTLFunctionConstantValues new];
  for (size_t i = 0; i < count; ++i) {
    [values setConstantValue:&constants[i] type:MTLDataTypeUInt atIndex:i];
  }
  const std::string what = "kernel " + kernel.name;
  NSError* error = nil;
  id<MTLFunction> function = [context.library newFunctionWithName:@(kernel.name.c_str())
                                                   constantValues:values
                                                            error:&error];
  if (function == nil) fail_with(OC_DEVICE_ERROR, what, error);
  id<MTLComputePipelineState> made =
      [context.device newComputePipelineStateWithFunction:function error:&error];
  if (made == nil) fail_with(OC_DEVICE_ERROR, what, error);
  if (made.maxTotalThreadsPerThreadgroup < constants[0]) {
    fail(OC_NO_DEVICE, "%s: a workgroup of %u; the device takes %llu", what.c_str(), constants[0],
         static_cast<unsigned long long>(made.maxTotalThreadsPerThreadgroup));
  }
  return made;
}

void run(const Context& context, id<MTLCommandBuffer> commands) {
  [commands commit];
  [commands waitUntilCompleted];
  if (commands.status == MTLCommandBufferStatusError) {
    fail_with(OC_DEVICE_LOST, context.name, commands.error);
  }
}

Model::Model(std::shared_ptr<const Context> context, const KernelTable& kernels,
             std::shared_ptr<const Program> program)
    : context_(std::move(context)), program_(std::move(program)) {
  entries_ = kernels_of(section_of(*program_), kernels);
  for (const PipelineOf& p : section().pipelines) {
    check_constant_list(*entries_[p.kernel], p.constants.data(), p.constants.size());
  }
  std::vector<bool> used(program_->parts.size());
  for (const GpuFunction& f : section().functions) {
    for (const Dispatch& d : f.dispatches) {
      check_dispatch(*program_, kernel(d.pipeline), d, context_->device.maxBufferLength);
      for (const Bound& b : d.buffers) {
        if (b.kind == BoundKind::part) used[b.index] = true;
      }
    }
  }
  pipelines_.resize(section().pipelines.size());
  places_.resize(used.size());
  if (!context_->device.hasUnifiedMemory || !take_mapped(used)) copy_parts(used);
}

// The mapped file itself as a buffer: nothing is copied, and its pages may be dropped and read again.
bool Model::take_mapped(const std::vector<bool>& used) {
  const uintptr_t page = static_cast<uintptr_t>(getpagesize());
  uintptr_t low = UINTPTR_MAX, high = 0;
  for (size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) continue;
    const Bytes& part = program_->parts[i].bytes;
    low = std::min(low, reinterpret_cast<uintptr_t>(part.data));
    high = std::max(high, reinterpret_cast<uintptr_t>(part.data) + part.size);
  }
  if (low >= high) return true;  // no weights
  low = low / page * page;
  high = (high + page - 1) / page * page;
  const uintptr_t file = reinterpret_cast<uintptr_t>(program_->mapping->data());
  const bool whole_pages = file % page == 0;  // else the memory is the caller's, with others around
  if (!whole_pages || low < file || high - low > context_->device.maxBufferLength) return false;
  id<MTLBuffer> made = [context_->device newBufferWithBytesNoCopy:reinterpret_cast<void*>(low)
                                                           length:high - low
                                                          options:MTLResourceStorageModeShared
                                                      deallocator:nil];
  if (made == nil) return false;
  buffers_.push_back(made);
  for (size_t i = 0; i < used.size(); ++i) {
    if (used[i]) places_[i].offset = reinterpret_cast<uintptr_t>(program_->parts[i].bytes.data) - low;
  }
  return true;
}

// Parts one behind the other, in as few buffers as may be.
void Model::copy_parts(const std::vector<bool>& used) {
  std::vector<int64_t> sizes;
  const int64_t most =
      std::min(kBufferBytes, static_cast<int64_t>(context_->device.maxBufferLength));
  for (size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) continue;
    const int64_t size = static_cast<int64_t>(program_->parts[i].bytes.size);
    const int64_t bytes = (size + kBindAlignment - 1) / kBindAlignment * kBindAlignment;
    if (sizes.empty() || sizes.back() + bytes > most) sizes.push_back(0);
    places_[i] = {sizes.size() - 1, static_cast<NSUInteger>(sizes.back())};
    sizes.back() += bytes;
  }
  for (const int64_t size : sizes) {
    buffers_.push_back(make_buffer(*context_, std::max(size, kBindAlignment), true, "weights"));
  }
  for (size_t i = 0; i < used.size(); ++i) {
    const Bytes& part = program_->parts[i].bytes;
    if (!used[i] || part.size == 0) continue;
    uint8_t* const to = static_cast<uint8_t*>(buffers_[places_[i].buffer].contents);
    std::memcpy(to + places_[i].offset, part.data, part.size);
  }
}

id<MTLComputePipelineState> Model::pipeline(uint32_t index) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (pipelines_[index] == nil) {
    const std::vector<uint32_t>& constants = section().pipelines[index].constants;
    pipelines_[index] = make_pipeline(*context_, kernel(index), constants.data(), constants.size());
  }
  return pipelines_[index];
}

void Model::bind_part(id<MTLComputeCommandEncoder> encoder, const Bound& b, NSUInteger at) const {
  const Place& place = places_[b.index];
  [encoder setBuffer:buffers_[place.buffer] offset:place.offset + b.offset atIndex:at];
}

}  // namespace gpu::metal

std::vector<oc_device_description> metal_devices() {
  std::vector<oc_device_description> out;
  @autoreleasepool {
    for (id<MTLDevice> each in gpu::metal::all_devices()) {
      out.push_back(gpu::metal::describe(each));
    }
  }
  return out;
}

std::shared_ptr<Device> open_metal(int64_t index) {
  @autoreleasepool {
    NSArray<id<MTLDevice>>* all = gpu::metal::all_devices();
    if (static_cast<uint64_t>(index) >= all.count) {
      fail(OC_NO_DEVICE, "Metal has %llu devices", static_cast<unsigned long long>(all.count));
    }
    return std::make_shared<gpu::metal::Metal>(all[static_cast<NSUInteger>(index)]);
  }
}

}  // namespace optimum_compile
