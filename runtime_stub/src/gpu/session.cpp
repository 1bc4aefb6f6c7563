#include "optimum_compile/gpu/session.h"

#ifdef OC_VULKAN

#include <algorithm>
#include <cstring>
#include <utility>

#include "optimum_compile/runtime/failure.h"

namespace optimum_compile::gpu {
namespace {

constexpr int64_t kLeastBytes = 256;

}  // namespace

std::unique_ptr<Session> make_session(const std::shared_ptr<const Gpu>& gpu,
                                      std::shared_ptr<const GpuModel> model, int64_t bytes_max) {
  return std::make_unique<GpuSession>(gpu, std::move(model), bytes_max);
}

GpuSession::GpuSession(std::shared_ptr<const Gpu> gpu, std::shared_ptr<const GpuModel> model,
                       int64_t bytes_max)
    : Session(model->program(), bytes_max),
      gpu_(std::move(gpu)),
      model_(std::move(model)),
      numbers_(*program_),
      commands_(gpu_),
      behind_(commands_.make()),
      recorder_(gpu_, model_, commands_, memory_),
      finder_(gpu_, model_->table(), program_->vocabulary) {
  const Program& p = *program_;
  check_limit(p.key_bytes, 0, "keys");
  check_limit(p.value_bytes, p.key_bytes, "values");
  memory_.keys = GpuBuffer(gpu_, p.key_bytes, Use::local, "keys");
  memory_.values = GpuBuffer(gpu_, p.value_bytes, Use::local, "values");
  memory_.none = GpuBuffer(gpu_, kLeastBytes, Use::local, "nothing");
  int64_t most = 1;
  for (const Function& f : p.functions) most = std::max(most, std::min(f.greatest, p.context));
  memory_.tokens = GpuBuffer(gpu_, std::max(8 * most, kLeastBytes), Use::mapped, "tokens");

  commands_.begin(behind_, true);
  for (const GpuBuffer* each : {&memory_.keys, &memory_.values, &memory_.none}) {
    if (each->size() == 0) continue;
    gpu_->api().CmdFillBuffer(behind_, each->handle(), 0, VK_WHOLE_SIZE, 0);
  }
  wait_for_all(*gpu_, behind_);
  commands_.end(behind_);
  commands_.run(&behind_, 1);
}

int64_t GpuSession::taken() const {
  return memory_.keys.size() + memory_.values.size() + memory_.arena.size() +
         memory_.logits.size() + host_.size();
}

void GpuSession::grow(GpuBuffer* buffer, int64_t bytes, Use use, const char* what) {
  const int64_t rounded = std::max((bytes + kLeastBytes - 1) / kLeastBytes * kLeastBytes, kLeastBytes);
  if (rounded <= buffer->size()) return;
  const int64_t most = static_cast<int64_t>(gpu_->limits().maxStorageBufferRange);
  if (use == Use::local && rounded > most) {
    fail(OC_NO_MEMORY, "%s of %lld bytes; %s shows a kernel %lld of one buffer", what,
         static_cast<long long>(rounded), gpu_->physical().properties.deviceName,
         static_cast<long long>(most));
  }
  check_limit(rounded, taken() - buffer->size(), what);
  if (use == Use::local) {  // kernels were bound to it
    recorder_.drop();
    finder_.forget();
  }
  *buffer = GpuBuffer();  // its contents last one call only, so the old one goes first
  *buffer = GpuBuffer(gpu_, rounded, use, what);
}

void GpuSession::make_room(const Chunk& chunk, int64_t rows, int64_t host_rows) {
  const Function& f = program_->functions[chunk.function];
  const int64_t row = program_->vocabulary * 4;
  const int64_t bytes = arena_bytes(*program_, f, &numbers_, chunk.seq, past_);
  grow(&memory_.arena, bytes, Use::local, "an arena");
  grow(&memory_.logits, rows * row, Use::local, "logits");
  if (host_rows > 0) grow(&host_, host_rows * row, Use::read, "logits for the host");
  stats_.arena_bytes = std::max(stats_.arena_bytes, bytes);
}

void GpuSession::copy_rows(VkCommandBuffer commands, int64_t row, int64_t rows) const {
  const VkDeviceSize bytes = static_cast<VkDeviceSize>(program_->vocabulary) * 4;
  const VkBufferCopy region = {static_cast<VkDeviceSize>(row) * bytes, 0,
                               static_cast<VkDeviceSize>(rows) * bytes};
  gpu_->api().CmdCopyBuffer(commands, memory_.logits.handle(), host_.handle(), 1, &region);
  wait_for_all(*gpu_, commands);
}

void GpuSession::run_chunk(const Chunk& chunk, const int64_t* tokens, oc_logits which,
                           float* logits) {
  const int64_t began = now_ns(), seq = chunk.seq;
  likeliest_ = -1;
  const GpuFunction& function = model_->section().functions[chunk.function];
  int64_t first = 0;
  if (function.optional_head && which != OC_LOGITS_ALL) {
    first = which == OC_LOGITS_NONE ? seq : seq - 1;
  }
  const bool all = which == OC_LOGITS_ALL, last = which == OC_LOGITS_LAST;
  const int64_t row = all ? 0 : seq - 1 - first;
  const int64_t host_rows = all ? seq : last ? 1 : 0;
  make_room(chunk, seq - first, host_rows);
  std::memcpy(memory_.tokens.data(), tokens, static_cast<size_t>(seq) * 8);
  const uint32_t dispatches = list_at(*program_, function, width_);
  const Recording& recording = recorder_.get({chunk.function, seq, first, dispatches}, past_);

  const bool greedy = generating_ && which == OC_LOGITS_KEEP && finder_.can();
  const VkCommandBuffer list[] = {recording.commands, behind_};
  const bool more = host_rows > 0 || greedy;
  if (more) {
    commands_.begin(behind_, true);
    if (host_rows > 0) copy_rows(behind_, row, host_rows);
    if (greedy) finder_.record(behind_, memory_.logits, row, 1);
    commands_.end(behind_);
  }
  commands_.run(list, more ? 2 : 1);
  if (host_rows > 0) {
    std::memcpy(logits, host_.data(),
                static_cast<size_t>(host_rows) * static_cast<size_t>(program_->vocabulary) * 4);
  }
  if (greedy) finder_.read(1, &likeliest_, nullptr);
  kept_row_ = row;
  count(chunk, first, recording);
  stats_.total_ns += now_ns() - began;
}

SeenCache GpuSession::see(const Cache& c) {
  const auto copied = std::make_shared<GpuBuffer>();
  check_limit(c.bytes, taken(), "a cache for the host");
  *copied = GpuBuffer(gpu_, c.bytes, Use::read, "a cache for the host");
  const GpuBuffer& held = c.spec.role == KvRole::keys ? memory_.keys : memory_.values;
  const VkBufferCopy region = {static_cast<VkDeviceSize>(c.offset), 0,
                               static_cast<VkDeviceSize>(c.bytes)};
  commands_.begin(behind_, true);
  gpu_->api().CmdCopyBuffer(behind_, held.handle(), copied->handle(), 1, &region);
  wait_for_all(*gpu_, behind_);
  commands_.end(behind_);
  commands_.run(&behind_, 1);
  return {{c.spec, copied->data(), static_cast<size_t>(c.bytes)}, copied};
}

void GpuSession::find_top(int64_t k, int64_t* ids, float* values) {
  if (k == 1 && values == nullptr && likeliest_ >= 0) {
    *ids = likeliest_;
    return;
  }
  if (!finder_.can()) grow(&host_, program_->vocabulary * 4, Use::read, "logits for the host");
  commands_.begin(behind_, true);
  if (finder_.can()) {
    finder_.record(behind_, memory_.logits, kept_row_, k);
  } else {
    copy_rows(behind_, kept_row_, 1);
  }
  commands_.end(behind_);
  commands_.run(&behind_, 1);
  if (finder_.can()) {
    finder_.read(k, ids, values);
  } else {
    top_of(host_logits(), program_->vocabulary, k, ids, values);
  }
}

void GpuSession::count(const Chunk& chunk, int64_t first, const Recording& r) {
  stats_.steps += r.steps;
  const std::vector<int64_t> ns = recorder_.stage_ns(r);
  for (size_t i = 0; i < r.stages.size(); ++i) {
    oc_stage_stats& stage = stage_stats_[r.stages[i]];
    stage.steps += r.stage_steps[i];
    stage.total_ns += i < ns.size() ? ns[i] : 0;
    stats_.stage_switches += last_stage_ != r.stages[i];
    last_stage_ = r.stages[i];
  }
  stats_.last_weight_bytes = weight_bytes(*program_, program_->functions[chunk.function],
                                          chunk.seq, first < chunk.seq, width_);
  stats_.weight_bytes += stats_.last_weight_bytes;
}

}  // namespace optimum_compile::gpu

#endif
