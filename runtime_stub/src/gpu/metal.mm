// Programs on Metal: the section, the checks and the kernels that Vulkan has. Metal's commands are not
// kept: each pass encodes them anew, with the params of its sizes inside.
#include "optimum_compile/gpu/metal.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "optimum_compile/runtime/failure.h"

namespace optimum_compile::gpu::metal {
namespace {

constexpr int64_t kLeastBytes = 256;

}  // namespace

MetalSession::MetalSession(std::shared_ptr<const Context> context,
                           std::shared_ptr<const Model> model, int64_t bytes_max)
    : Session(model->program(), bytes_max),
      context_(std::move(context)),
      model_(std::move(model)),
      numbers_(*program_),
      words_(program_) {
  const Program& p = *program_;
  check_limit(p.key_bytes, 0, "keys");
  check_limit(p.value_bytes, p.key_bytes, "values");
  keys_ = make_buffer(*context_, std::max(p.key_bytes, kLeastBytes), false, "keys");
  values_ = make_buffer(*context_, std::max(p.value_bytes, kLeastBytes), false, "values");
  none_ = make_buffer(*context_, kLeastBytes, false, "nothing");
  int64_t most = 1;
  for (const Function& f : p.functions) most = std::max(most, std::min(f.greatest, p.context));
  tokens_ = make_buffer(*context_, std::max(8 * most, kLeastBytes), true, "tokens");

  @autoreleasepool {
    id<MTLCommandBuffer> commands = [context_->queue commandBuffer];
    id<MTLBlitCommandEncoder> blit = [commands blitCommandEncoder];
    for (id<MTLBuffer> each : {keys_, values_, none_}) {
      [blit fillBuffer:each range:NSMakeRange(0, each.length) value:0];
    }
    [blit endEncoding];
    metal::run(*context_, commands);
  }
}

int64_t MetalSession::taken() const {
  NSUInteger bytes = 0;  // messages to nil answer 0
  for (id<MTLBuffer> each : {keys_, values_, arena_, logits_}) bytes += each.length;
  return static_cast<int64_t>(bytes);
}

void MetalSession::grow(__strong id<MTLBuffer>* buffer, int64_t bytes, bool seen,
                        const char* what) {
  const int64_t rounded =
      std::max((bytes + kLeastBytes - 1) / kLeastBytes * kLeastBytes, kLeastBytes);
  const int64_t held = static_cast<int64_t>((*buffer).length);
  if (rounded <= held) return;
  check_limit(rounded, taken() - held, what);
  *buffer = nil;  // its contents last one call only, so the old one goes first
  *buffer = make_buffer(*context_, rounded, seen, what);
}

void MetalSession::bind(id<MTLComputeCommandEncoder> encoder, const Bound& b,
                        NSUInteger at) const {
  switch (b.kind) {
    case BoundKind::arena: [encoder setBuffer:arena_ offset:0 atIndex:at]; return;
    case BoundKind::part: model_->bind_part(encoder, b, at); return;
    case BoundKind::tokens: [encoder setBuffer:tokens_ offset:0 atIndex:at]; return;
    case BoundKind::logits: [encoder setBuffer:logits_ offset:0 atIndex:at]; return;
    case BoundKind::none: [encoder setBuffer:none_ offset:0 atIndex:at]; return;
    case BoundKind::cache: break;
  }
  const Cache& c = program_->caches[b.index];
  [encoder setBuffer:c.spec.role == KvRole::keys ? keys_ : values_
              offset:static_cast<NSUInteger>(c.offset)
             atIndex:at];
}

void MetalSession::encode(id<MTLComputeCommandEncoder> encoder, const Chunk& chunk,
                          int64_t first) {
  bool waits = false;
  uint32_t bound = kNone;
  words_.set(chunk.seq, past_, first);
  const GpuFunction& f = model_->section().functions[chunk.function];
  const uint32_t list = list_at(*program_, f, width_);
  for (size_t at = 0; at < f.size(); ++at) {
    const Dispatch& d = f.at(list, at);
    waits = waits || d.waits;  // one that is left out leaves its barrier to the next one
    if (d.makes_logits && first == chunk.seq) continue;
    uint32_t groups[3], words[kMostParams];
    for (int i = 0; i < 3; ++i) groups[i] = words_.word(d.groups[i]);
    if (groups[0] == 0 || groups[1] == 0 || groups[2] == 0) continue;
    for (size_t i = 0; i < d.params.size(); ++i) words[i] = words_.word(d.params[i]);
    if (waits) [encoder memoryBarrierWithScope:MTLBarrierScopeBuffers];
    waits = false;
    if (bound != d.pipeline) [encoder setComputePipelineState:model_->pipeline(d.pipeline)];
    bound = d.pipeline;
    if (!d.params.empty()) [encoder setBytes:words length:4 * d.params.size() atIndex:0];
    for (size_t i = 0; i < d.buffers.size(); ++i) bind(encoder, d.buffers[i], i + 1);
    const uint32_t local = model_->section().pipelines[d.pipeline].constants[0];
    [encoder dispatchThreadgroups:MTLSizeMake(groups[0], groups[1], groups[2])
            threadsPerThreadgroup:MTLSizeMake(local, 1, 1)];
    stats_.steps += 1;
    stage_stats_[d.stage].steps += 1;
    stats_.stage_switches += last_stage_ != d.stage;
    last_stage_ = d.stage;
  }
}

const float* MetalSession::row(int64_t index) const {
  return static_cast<const float*>(logits_.contents) + index * program_->vocabulary;
}

void MetalSession::run_chunk(const Chunk& chunk, const int64_t* tokens, oc_logits which,
                             float* logits) {
  const int64_t began = now_ns(), seq = chunk.seq, vocabulary = program_->vocabulary;
  const Function& f = program_->functions[chunk.function];
  int64_t first = 0;
  if (model_->section().functions[chunk.function].optional_head && which != OC_LOGITS_ALL) {
    first = which == OC_LOGITS_NONE ? seq : seq - 1;
  }
  const int64_t bytes = arena_bytes(*program_, f, &numbers_, seq, past_);
  grow(&arena_, bytes, false, "an arena");
  grow(&logits_, (seq - first) * vocabulary * 4, true, "logits");
  std::memcpy(tokens_.contents, tokens, static_cast<size_t>(seq) * 8);
  @autoreleasepool {
    id<MTLCommandBuffer> commands = [context_->queue commandBuffer];
    id<MTLComputeCommandEncoder> encoder =
        [commands computeCommandEncoderWithDispatchType:MTLDispatchTypeConcurrent];
    try {
      encode(encoder, chunk, first);
    } catch (...) {
      [encoder endEncoding];  // Metal demands it even of what is not run
      throw;
    }
    [encoder endEncoding];
    metal::run(*context_, commands);
  }
  const bool all = which == OC_LOGITS_ALL;
  kept_row_ = all ? 0 : seq - 1 - first;
  if (all || which == OC_LOGITS_LAST) {
    const int64_t rows = all ? seq : 1;
    std::memcpy(logits, row(kept_row_), static_cast<size_t>(rows * vocabulary) * 4);
  }
  stats_.last_weight_bytes = weight_bytes(*program_, f, seq, first < seq, width_);
  stats_.weight_bytes += stats_.last_weight_bytes;
  stats_.arena_bytes = std::max(stats_.arena_bytes, bytes);
  stats_.total_ns += now_ns() - began;
}

// The host sees the logits where they lie, so it looks itself.
void MetalSession::find_top(int64_t k, int64_t* ids, float* values) {
  top_of(row(kept_row_), program_->vocabulary, k, ids, values);
}

SeenCache MetalSession::see(const Cache& c) {
  struct Kept {
    id<MTLBuffer> buffer;
  };
  if (c.bytes % 4 != 0) fail(OC_BAD_FILE, "cache %s has no whole words", c.name.c_str());
  check_limit(c.bytes, taken(), "a cache for the host");
  id<MTLBuffer> copied = make_buffer(*context_, c.bytes, true, "a cache for the host");
  @autoreleasepool {
    id<MTLCommandBuffer> commands = [context_->queue commandBuffer];
    id<MTLBlitCommandEncoder> blit = [commands blitCommandEncoder];
    [blit copyFromBuffer:c.spec.role == KvRole::keys ? keys_ : values_
             sourceOffset:static_cast<NSUInteger>(c.offset)
                 toBuffer:copied
        destinationOffset:0
                     size:static_cast<NSUInteger>(c.bytes)];
    [blit endEncoding];
    metal::run(*context_, commands);
  }
  uint8_t* const data = static_cast<uint8_t*>(copied.contents);
  return {{c.spec, data, static_cast<size_t>(c.bytes)}, std::make_shared<Kept>(Kept{copied})};
}

void run_probe(const Context& context, const KernelTable& kernels, oc_probe_call* call) {
  const KernelEntry* kernel = call->kernel == nullptr ? nullptr : kernels.find(call->kernel);
  if (kernel == nullptr) fail(OC_BAD_ARGUMENT, "no such kernel");
  const bool given = (call->param_count == 0 || call->params != nullptr) &&
                     (call->buffer_count == 0 || call->buffers != nullptr) &&
                     call->constants != nullptr;
  if (!given || call->param_count != kernel->params || call->buffer_count != kernel->buffers) {
    fail(OC_BAD_ARGUMENT, "kernel %s has %u params and %u buffers", call->kernel, kernel->params,
         kernel->buffers);
  }
  // The library has one variant of each.
  const char* const only = kernel->modules[kSubgroup].data != nullptr ? "subgroup" : "plain";
  if (call->variant != nullptr && std::strcmp(call->variant, only) != 0) {
    fail(OC_NO_DEVICE, "Metal has the variant %s of kernel %s", only, call->kernel);
  }
  check_constant_list(*kernel, call->constants, call->constant_count);
  @autoreleasepool {
    id<MTLComputePipelineState> pipeline =
        make_pipeline(context, *kernel, call->constants, call->constant_count);
    std::vector<id<MTLBuffer>> buffers;
    for (size_t i = 0; i < call->buffer_count; ++i) {
      const oc_probe_buffer& b = call->buffers[i];
      if (b.bytes == 0 || b.bytes % 4 != 0) fail(OC_BAD_ARGUMENT, "buffer %zu: no words", i);
      buffers.push_back(make_buffer(context, static_cast<int64_t>(b.bytes), true, "a buffer"));
      if (b.in == nullptr) std::memset(buffers.back().contents, 0, b.bytes);
      if (b.in != nullptr) std::memcpy(buffers.back().contents, b.in, b.bytes);
    }
    id<MTLCommandBuffer> commands = [context.queue commandBuffer];
    id<MTLComputeCommandEncoder> encoder = [commands computeCommandEncoder];
    [encoder setComputePipelineState:pipeline];
    if (call->param_count > 0) {
      [encoder setBytes:call->params length:4 * call->param_count atIndex:0];
    }
    for (size_t i = 0; i < buffers.size(); ++i) {
      [encoder setBuffer:buffers[i] offset:0 atIndex:i + 1];
    }
    for (uint32_t n = 0; n < std::max(call->repeats, 1u); ++n) {
      [encoder dispatchThreadgroups:MTLSizeMake(call->groups[0], call->groups[1], call->groups[2])
              threadsPerThreadgroup:MTLSizeMake(call->constants[0], 1, 1)];
    }
    [encoder endEncoding];
    metal::run(context, commands);
    call->gpu_ns = static_cast<int64_t>((commands.GPUEndTime - commands.GPUStartTime) * 1e9);
    for (size_t i = 0; i < buffers.size(); ++i) {
      const oc_probe_buffer& b = call->buffers[i];
      if (b.out != nullptr) std::memcpy(b.out, buffers[i].contents, b.bytes);
    }
  }
}

}  // namespace optimum_compile::gpu::metal
