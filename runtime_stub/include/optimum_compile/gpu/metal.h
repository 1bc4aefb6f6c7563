// A Metal device, the kernels on it, and sessions: Objective-C++, on Apple machines only.
#ifndef OPTIMUM_COMPILE_GPU_METAL_H
#define OPTIMUM_COMPILE_GPU_METAL_H

#import <Metal/Metal.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "optimum_compile/gpu/numbers.h"
#include "optimum_compile/runtime/device.h"

namespace optimum_compile::gpu::metal {

// What was opened. Kernels are functions of the library; their interfaces are those of kernels.bin.
struct Context {
  id<MTLDevice> device;
  id<MTLCommandQueue> queue;
  id<MTLLibrary> library;
  std::string name;
};

// A Failure with what Metal says.
[[noreturn]] void fail_with(oc_status status, const std::string& what, NSError* error);

// Memory for kernels; `seen`: by the host too.
id<MTLBuffer> make_buffer(const Context& context, int64_t bytes, bool seen, const char* what);

id<MTLComputePipelineState> make_pipeline(const Context& context, const KernelEntry& kernel,
                                          const uint32_t* constants, size_t count);

// Wait for commands; a Failure where they did not end well.
void run(const Context& context, id<MTLCommandBuffer> commands);

// Weights and pipelines of a program, for all of its sessions.
class Model {
 public:
  Model(std::shared_ptr<const Context> context, const KernelTable& kernels,
        std::shared_ptr<const Program> program);

  const std::shared_ptr<const Program>& program() const { return program_; }
  const GpuProgram& section() const { return *program_->gpu; }
  const KernelEntry& kernel(uint32_t pipeline) const {
    return *entries_[section().pipelines[pipeline].kernel];
  }
  id<MTLComputePipelineState> pipeline(uint32_t index) const;  // made when it is first asked for
  void bind_part(id<MTLComputeCommandEncoder> encoder, const Bound& bound, NSUInteger at) const;

 private:
  struct Place {
    size_t buffer = 0;
    NSUInteger offset = 0;
  };
  bool take_mapped(const std::vector<bool>& used);
  void copy_parts(const std::vector<bool>& used);

  const std::shared_ptr<const Context> context_;
  const std::shared_ptr<const Program> program_;
  std::vector<const KernelEntry*> entries_;
  std::vector<Place> places_;
  std::vector<id<MTLBuffer>> buffers_;
  mutable std::mutex mutex_;
  mutable std::vector<id<MTLComputePipelineState>> pipelines_;
};

class MetalSession : public Session {
 public:
  MetalSession(std::shared_ptr<const Context> context, std::shared_ptr<const Model> model,
               int64_t bytes_max);

 private:
  void run_chunk(const Chunk& chunk, const int64_t* tokens, oc_logits which,
                 float* logits) override;
  void find_top(int64_t k, int64_t* ids, float* values) override;
  SeenCache see(const Cache& cache) override;
  void grow(__strong id<MTLBuffer>* buffer, int64_t bytes, bool seen, const char* what);
  int64_t taken() const;
  const float* row(int64_t index) const;
  void encode(id<MTLComputeCommandEncoder> encoder, const Chunk& chunk, int64_t first);
  void bind(id<MTLComputeCommandEncoder> encoder, const Bound& bound, NSUInteger at) const;

  const std::shared_ptr<const Context> context_;
  const std::shared_ptr<const Model> model_;
  Numbers numbers_;
  GpuNumbers words_;
  id<MTLBuffer> arena_, keys_, values_, tokens_, logits_, none_;
  int64_t kept_row_ = 0;
  size_t last_stage_ = SIZE_MAX;
};

// One kernel on buffers of the caller.
void run_probe(const Context& context, const KernelTable& kernels, oc_probe_call* call);

}  // namespace optimum_compile::gpu::metal

#endif
