#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "optimum_compile/runtime/failure.h"
#include "optimum_compile/runtime/session.h"

namespace optimum_compile {
namespace {

constexpr int64_t kAlignment = 64;

bool makes_logits(const Frame& frame, const Step& step) {
  return !step.outputs.empty() && frame.view(step.outputs[0].index).space == Space::output;
}

}  // namespace

Block::Block(int64_t bytes, const char* what) : size_(bytes) {
  if (bytes <= 0) return;
  if (static_cast<uint64_t>(bytes) <= SIZE_MAX - kAlignment) {
    owned_ = std::calloc(static_cast<size_t>(bytes) + kAlignment, 1);
  }
  if (owned_ == nullptr) {
    fail(OC_NO_MEMORY, "no memory for %s of %lld bytes", what, static_cast<long long>(bytes));
  }
  const size_t past = reinterpret_cast<uintptr_t>(owned_) % kAlignment;
  data_ = static_cast<uint8_t*>(owned_) + (past == 0 ? 0 : kAlignment - past);
}

Block::~Block() { std::free(owned_); }

Block::Block(Block&& other) noexcept { *this = std::move(other); }

Block& Block::operator=(Block&& other) noexcept {
  std::swap(owned_, other.owned_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

CpuSession::CpuSession(std::shared_ptr<const Program> program, int64_t bytes_max)
    : Session(std::move(program), bytes_max),
      keys_(limited(program_->key_bytes, 0, "keys")),
      values_(limited(program_->value_bytes, keys_.size(), "values")),
      work_(*program_, keys_.data(), values_.data()),
      frames_(program_->functions.size()) {}

Block CpuSession::limited(int64_t bytes, int64_t taken, const char* what) const {
  check_limit(bytes, taken, what);
  return Block(bytes, what);
}

void CpuSession::grow(Block* block, int64_t bytes, const char* what) {
  if (bytes <= block->size()) return;
  *block = Block();  // its contents last one call only, so the old one goes first
  *block =
      limited(bytes, keys_.size() + values_.size() + arena_.size() + logits_.size(), what);
}

void CpuSession::run_chunk(const Chunk& chunk, const int64_t* tokens, oc_logits which,
                           float* logits) {
  const int64_t began = now_ns();
  const Program& p = *program_;
  const Function& f = p.functions[chunk.function];
  std::unique_ptr<Frame>& frame = frames_[chunk.function];
  if (frame == nullptr) frame = std::make_unique<Frame>(p, f);
  const int64_t arena_bytes = frame->set(chunk.seq, past_);
  grow(&arena_, arena_bytes, "an arena");

  Memory memory;
  memory.arena = arena_.data();
  memory.arena_bytes = arena_bytes;
  memory.keys = keys_.data();
  memory.values = values_.data();
  memory.tokens = tokens;
  memory.logits = logits;
  const bool all = which == OC_LOGITS_ALL, keep = which == OC_LOGITS_KEEP;
  const bool whole = !all && !f.optional_head;  // all of them have to be made
  const int64_t row = whole ? chunk.seq - 1 : 0;
  if (whole || keep) {
    grow(&logits_, (row + 1) * p.vocabulary * 4, "logits");
    memory.logits = reinterpret_cast<float*>(logits_.data());
  }
  if (!whole && !all) memory.logits_from = which == OC_LOGITS_NONE ? chunk.seq : chunk.seq - 1;
  frame->bind(memory);
  execute(*frame);
  const float* last = memory.logits + row * p.vocabulary;
  if (keep) last_logits_ = last;
  if (whole && which == OC_LOGITS_LAST) {
    std::memcpy(logits, last, static_cast<size_t>(p.vocabulary) * 4);
  }
  stats_.arena_bytes = std::max(stats_.arena_bytes, arena_bytes);
  stats_.total_ns += now_ns() - began;
}

void CpuSession::find_top(int64_t k, int64_t* ids, float* values) {
  top_of(last_logits_, program_->vocabulary, k, ids, values);
}

void CpuSession::take_threads(int count) { work_.set_threads(count); }

void CpuSession::take_width() { work_.set_width(width_); }

SeenCache CpuSession::see(const Cache& c) {
  const Block& block = c.spec.role == KvRole::keys ? keys_ : values_;
  return {{c.spec, block.data() + c.offset, static_cast<size_t>(c.bytes)}, nullptr};
}

void CpuSession::execute(const Frame& frame) {
  const Function& f = frame.function();
  work_.weight_bytes = work_.kv_written_bytes = 0;
  stage_began_ns_ = now_ns();
  for (size_t i = 0; i < f.steps.size(); ++i) {
    const Step& step = f.steps[i];
    if (frame.logits_from() == frame.seq() && makes_logits(frame, step)) continue;
    if (step.stage != stage_) take_stage(step.stage);
    try {
      if (step.op == Op::skip) {
        if (all_zero(frame.view(step.inputs[0].index))) i += skip_steps(frame, i);
        continue;
      }
      execute_step(frame, step);
    } catch (const Failure& failure) {
      fail(failure.status, "%s, step %zu: %s", f.name.c_str(), i, failure.text.c_str());
    }
    count_step(frame, step);
  }
  if (stage_ < stage_stats_.size()) stage_stats_[stage_].total_ns += now_ns() - stage_began_ns_;
  stats_.kv_written_bytes += work_.kv_written_bytes;
  stats_.weight_bytes += work_.weight_bytes;
  stats_.last_weight_bytes = work_.weight_bytes;
}

// The steps behind a skip are left out: the output of the last one is 0. Returns how many they are.
size_t CpuSession::skip_steps(const Frame& frame, size_t skip) {
  const std::vector<Step>& steps = frame.function().steps;
  const size_t count = static_cast<size_t>(steps[skip].attributes[0].whole);
  set_zero(frame.view(steps[skip + count].outputs[0].index));
  return count;
}

void CpuSession::take_stage(uint16_t stage) {
  const int64_t before = now_ns();
  if (stage_ < stage_stats_.size()) stage_stats_[stage_].total_ns += before - stage_began_ns_;
  kernels_ = &kernels_of(program_->stages[stage].precision);
  stage_ = stage;
  stage_began_ns_ = now_ns();
  const int64_t spent = stage_began_ns_ - before;
  stage_stats_[stage].switch_ns += spent;
  stats_.switch_ns += spent;
  stats_.stage_switches += 1;
}

void CpuSession::execute_step(const Frame& frame, const Step& step) {
  const StepCall call{step, frame, work_};
  const bool broadcasts = step.op == Op::binary || step.op == Op::copy;
  for (const Operand& o : step.inputs) {
    if (o.kind != OperandKind::view || broadcasts) continue;
    call.need(!frame.view(o.index).repeats, "an input names an element twice");
  }
  for (const Operand& o : step.outputs) {
    call.need(!frame.view(o.index).repeats, "an output names an element twice");
  }
  kernels_->of[static_cast<int>(step.op)](call);
}

void CpuSession::count_step(const Frame& frame, const Step& step) {
  stats_.steps += 1;
  stage_stats_[stage_].steps += 1;
  if (step.op == Op::copy) {
    const Tensor &x = frame.view(step.inputs[0].index), &y = frame.view(step.outputs[0].index);
    stats_.copied_bytes += y.bytes();
    if (x.is_cache() || y.is_cache()) stats_.cache_copied_bytes += y.bytes();
    return;
  }
  for (const Operand& o : step.outputs) {
    const Tensor& y = frame.view(o.index);
    if (y.is_cache()) stats_.kv_written_bytes += y.bytes();
  }
}

}  // namespace optimum_compile
