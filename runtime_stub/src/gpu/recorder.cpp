#include "optimum_compile/gpu/recorder.h"

#ifdef OC_VULKAN

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "optimum_compile/runtime/failure.h"

namespace optimum_compile::gpu {
namespace {

constexpr size_t kKept = 8;  // recordings for each width
constexpr int64_t kGroupBytes = 16;

uint64_t bits_of(VkBuffer buffer) {
  uint64_t out = 0;
  std::memcpy(&out, &buffer, sizeof buffer);
  return out;
}

}  // namespace

Recorder::Recorder(std::shared_ptr<const Gpu> gpu, std::shared_ptr<const GpuModel> model,
                   const Commands& commands, const Memories& memory)
    : gpu_(std::move(gpu)),
      model_(std::move(model)),
      commands_(commands),
      memory_(memory),
      numbers_(model_->program()),
      sets_(model_->section().functions.size()) {
  size_t most = 1, lists = 1;
  for (const GpuFunction& f : model_->section().functions) {
    most = std::max(most, f.size());
    lists = std::max(lists, f.lists.size());
  }
  slots_ = static_cast<uint32_t>(most);
  most_ = kKept * lists;
  const int64_t slots = static_cast<int64_t>(most * most_);
  // Offsets of params are 32 bits.
  if (slots > INT32_MAX / kParamBytes) {
    fail(OC_BAD_FILE, "a function of %zu dispatches is too long", most);
  }
  params_ = GpuBuffer(gpu_, slots * kParamBytes, Use::mapped, "params");
  groups_ = GpuBuffer(gpu_, slots * kGroupBytes, Use::mapped, "workgroups");
  std::memset(params_.data(), 0, static_cast<size_t>(params_.size()));
}

Recorder::~Recorder() { drop(); }

void Recorder::forget(Recording* r) {
  if (r->commands != nullptr) commands_.drop(r->commands);
  gpu_->api().DestroyQueryPool(gpu_->handle(), r->clocks, nullptr);
  r->commands = nullptr;
  r->clocks = VK_NULL_HANDLE;
}

void Recorder::drop() {
  for (const auto& r : kept_) forget(r.get());
  kept_.clear();
  for (auto& each : sets_) each.reset();
}

VkDescriptorBufferInfo Recorder::place(const Bound& b) const {
  switch (b.kind) {
    case BoundKind::arena: return {memory_.arena.handle(), 0, VK_WHOLE_SIZE};
    case BoundKind::part: return model_->part(b);
    case BoundKind::tokens: return {memory_.tokens.handle(), 0, VK_WHOLE_SIZE};
    case BoundKind::logits: return {memory_.logits.handle(), 0, VK_WHOLE_SIZE};
    case BoundKind::none: return {memory_.none.handle(), 0, VK_WHOLE_SIZE};
    case BoundKind::cache: break;
  }
  const Cache& c = model_->program()->caches[b.index];
  const GpuBuffer& held = c.spec.role == KvRole::keys ? memory_.keys : memory_.values;
  return {held.handle(), static_cast<VkDeviceSize>(c.offset), static_cast<VkDeviceSize>(c.bytes)};
}

// Dispatches of one stage that are given the same buffers share a set.
const Recorder::Sets& Recorder::sets(size_t function) {
  if (sets_[function] != nullptr) return *sets_[function];
  const GpuFunction& f = model_->section().functions[function];
  struct Group {
    std::vector<VkDescriptorBufferInfo> buffers;
    std::vector<size_t> of;
  };
  std::vector<std::map<std::vector<uint64_t>, Group>> stages(model_->program()->stages.size());
  for (size_t i = 0; i < f.size(); ++i) {
    const Dispatch& d = f.at(0, i);
    std::vector<VkDescriptorBufferInfo> buffers;
    std::vector<uint64_t> key;
    for (const Bound& b : d.buffers) {
      buffers.push_back(place(b));
      const VkDescriptorBufferInfo& info = buffers.back();
      key.insert(key.end(), {bits_of(info.buffer), info.offset, info.range});
    }
    Group& group = stages[d.stage][key];
    group.buffers = std::move(buffers);
    group.of.push_back(i);
  }
  auto made = std::make_unique<Sets>();
  made->of.resize(f.size());
  for (const auto& groups : stages) {
    if (groups.empty()) continue;
    uint32_t buffers = 0;
    for (const auto& [key, group] : groups) buffers += static_cast<uint32_t>(group.buffers.size());
    made->pools.push_back(
        std::make_unique<const SetPool>(gpu_, static_cast<uint32_t>(groups.size()), buffers));
    for (const auto& [key, group] : groups) {
      const VkDescriptorSet set =
          made->pools.back()->make(params_.handle(), group.buffers.data(),
                                   static_cast<uint32_t>(group.buffers.size()));
      for (const size_t i : group.of) made->of[i] = set;
    }
  }
  sets_[function] = std::move(made);
  return *sets_[function];
}

// A place for a recording: a new one, or that of the one that nobody used for longest.
Recording& Recorder::room(const Pass& pass) {
  Recording* found = nullptr;
  if (kept_.size() < most_) {
    kept_.push_back(std::make_unique<Recording>());
    found = kept_.back().get();
    found->first_slot = static_cast<uint32_t>(kept_.size() - 1) * slots_;
  } else {
    found = std::min_element(kept_.begin(), kept_.end(), [](const auto& a, const auto& b) {
              return a->used < b->used;
            })->get();
    forget(found);
    Recording fresh;
    fresh.first_slot = found->first_slot;
    *found = std::move(fresh);
  }
  found->pass = pass;
  return *found;
}

bool Recorder::late_groups(const Dispatch& d) const {
  return std::any_of(d.groups, d.groups + 3, [&](uint32_t e) { return numbers_.uses_past(e); });
}

bool Recorder::is_late(const Dispatch& d) const {
  return late_groups(d) ||
         std::any_of(d.params.begin(), d.params.end(), [&](const Param& p) {
           return p.kind == ParamKind::expr && numbers_.uses_past(p.value);
         });
}

const Dispatch& Recorder::dispatch(const Recording& r, uint32_t index) const {
  return model_->section().functions[r.pass.function].at(r.pass.list, index);
}

void Recorder::write(const Recording& r, uint32_t index) {
  const Dispatch& d = dispatch(r, index);
  uint32_t words[kMostParams];
  for (size_t i = 0; i < d.params.size(); ++i) {
    const Param& p = d.params[i];
    words[i] = p.kind == ParamKind::expr ? numbers_.word(p.value) : p.value;
  }
  const int64_t slot = r.first_slot + index;
  std::memcpy(params_.data() + slot * kParamBytes, words, 4 * d.params.size());
}

void Recorder::write_groups(const Recording& r, uint32_t index) {
  const Dispatch& d = dispatch(r, index);
  uint32_t groups[4] = {};
  for (int i = 0; i < 3; ++i) groups[i] = numbers_.word(d.groups[i]);
  check_groups(*gpu_, model_->kernel(d.pipeline).name.c_str(), groups);
  const int64_t slot = r.first_slot + index;
  std::memcpy(groups_.data() + slot * kGroupBytes, groups, sizeof groups);
}

void Recorder::clock(const Recording& r, uint32_t number) const {
  if (r.clocks == VK_NULL_HANDLE) return;
  gpu_->api().CmdWriteTimestamp(r.commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, r.clocks, number);
}

void Recorder::record(Recording* r) {
  const Api& api = gpu_->api();
  const GpuFunction& f = model_->section().functions[r->pass.function];
  const Sets& sets = this->sets(r->pass.function);
  if (gpu_->physical().clock_bits > 0) {
    uint32_t clocks = 2;
    for (size_t i = 1; i < f.size(); ++i) clocks += f.at(0, i).stage != f.at(0, i - 1).stage;
    VkQueryPoolCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO;
    info.queryType = VK_QUERY_TYPE_TIMESTAMP;
    info.queryCount = clocks;
    check(api.CreateQueryPool(gpu_->handle(), &info, nullptr, &r->clocks), "clocks");
    r->commands = commands_.make();
    commands_.begin(r->commands, false);
    api.CmdResetQueryPool(r->commands, r->clocks, 0, clocks);
  } else {
    r->commands = commands_.make();
    commands_.begin(r->commands, false);
  }
  wait_for_all(*gpu_, r->commands);  // for what was submitted before
  bool waits = false;
  uint32_t bound = kNone;
  for (uint32_t i = 0; i < f.size(); ++i) {
    const Dispatch& d = dispatch(*r, i);
    waits = waits || d.waits;  // one that is left out leaves its barrier to the next one
    if (d.makes_logits && r->pass.first == r->pass.seq) continue;
    const bool late = late_groups(d);
    uint32_t groups[3] = {};
    for (int g = 0; g < 3 && !late; ++g) groups[g] = numbers_.word(d.groups[g]);
    if (!late && (groups[0] == 0 || groups[1] == 0 || groups[2] == 0)) continue;
    const KernelEntry& kernel = model_->kernel(d.pipeline);
    check_groups(*gpu_, kernel.name.c_str(), groups);
    write(*r, i);
    if (late) write_groups(*r, i);
    if (late || is_late(d)) r->late.push_back(i);

    if (r->stages.empty() || r->stages.back() != d.stage) {
      clock(*r, static_cast<uint32_t>(r->stages.size()));
      r->stages.push_back(d.stage);
      r->stage_steps.push_back(0);
    }
    if (waits) wait_for_kernels(*gpu_, r->commands);
    waits = false;
    if (bound != d.pipeline) {
      api.CmdBindPipeline(r->commands, VK_PIPELINE_BIND_POINT_COMPUTE,
                          model_->pipeline(d.pipeline).handle());
    }
    bound = d.pipeline;
    const uint32_t slot = r->first_slot + i;
    const uint32_t offset = slot * static_cast<uint32_t>(kParamBytes);
    api.CmdBindDescriptorSets(r->commands, VK_PIPELINE_BIND_POINT_COMPUTE,
                              gpu_->layout(kernel.buffers).pipeline, 0, 1, &sets.of[i], 1, &offset);
    if (late) {
      api.CmdDispatchIndirect(r->commands, groups_.handle(),
                              static_cast<VkDeviceSize>(slot) * kGroupBytes);
    } else {
      api.CmdDispatch(r->commands, groups[0], groups[1], groups[2]);
    }
    r->steps += 1;
    r->stage_steps.back() += 1;
  }
  clock(*r, static_cast<uint32_t>(r->stages.size()));
  wait_for_all(*gpu_, r->commands);
  commands_.end(r->commands);
}

const Recording& Recorder::get(const Pass& pass, int64_t past) {
  numbers_.set(pass.seq, past, pass.first);
  const auto found = std::find_if(kept_.begin(), kept_.end(),
                                  [&](const auto& r) { return r->pass == pass && r->past >= 0; });
  Recording* r = found == kept_.end() ? nullptr : found->get();
  if (r == nullptr) {
    r = &room(pass);
    record(r);  // where it fails, `past` says that nothing is there
  } else if (r->past != past) {
    r->past = -1;
    for (const uint32_t i : r->late) {
      write(*r, i);
      if (late_groups(dispatch(*r, i))) write_groups(*r, i);
    }
  }
  r->past = past;
  r->used = ++tick_;
  return *r;
}

std::vector<int64_t> Recorder::stage_ns(const Recording& r) const {
  if (r.clocks == VK_NULL_HANDLE) return {};
  const size_t count = r.stages.size() + 1;
  std::vector<uint64_t> at(count);
  check(gpu_->api().GetQueryPoolResults(gpu_->handle(), r.clocks, 0, static_cast<uint32_t>(count),
                                        8 * count, at.data(), 8,
                                        VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT),
        "clocks");
  const uint32_t bits = gpu_->physical().clock_bits;
  const uint64_t mask = bits >= 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1;
  std::vector<int64_t> out;
  for (size_t i = 1; i < count; ++i) {
    const double ticks = static_cast<double>((at[i] - at[i - 1]) & mask);
    out.push_back(
        static_cast<int64_t>(ticks * static_cast<double>(gpu_->limits().timestampPeriod)));
  }
  return out;
}

}  // namespace optimum_compile::gpu

#endif
