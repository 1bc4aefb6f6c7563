#include "optimum_compile/runtime/session.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "optimum_compile/runtime/failure.h"

namespace optimum_compile {
namespace {

constexpr int64_t kAlignment = 64;

int64_t now_ns() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since).count();
}

bool makes_logits(const Frame& frame, const Step& step) {
  return !step.outputs.empty() && frame.view(step.outputs[0].index).space == Space::output;
}

// A block that may not pass what is left of a limit.
Block limited(int64_t bytes, int64_t taken, int64_t most, const char* what) {
  if (most > 0 && bytes > most - taken) {
    fail(OC_NO_MEMORY, "%s of %lld bytes beside %lld others; the limit of the session is %lld",
         what, static_cast<long long>(bytes), static_cast<long long>(taken),
         static_cast<long long>(most));
  }
  return Block(bytes, what);
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

Session::Session(std::shared_ptr<const Program> program, int64_t bytes_max)
    : program_(std::move(program)),
      bytes_max_(bytes_max),
      keys_(limited(program_->key_bytes, 0, bytes_max, "keys")),
      values_(limited(program_->value_bytes, keys_.size(), bytes_max, "values")),
      work_(*program_, keys_.data(), values_.data()),
      frames_(program_->functions.size()),
      stage_stats_(program_->stages.size()) {}

void Session::clear_stats() {
  stats_ = {};
  std::fill(stage_stats_.begin(), stage_stats_.end(), oc_stage_stats{});
}

// The function that takes the most of them; of several the
// one that takes no more, as decode takes one.
Session::Chunk Session::next_chunk(int64_t left) const {
  Chunk best{0, 0};
  int64_t most = 0;
  for (size_t i = 0; i < program_->functions.size(); ++i) {
    const Function& f = program_->functions[i];
    const int64_t seq = std::min(left, f.greatest);
    if (seq < f.least || seq < best.seq) continue;
    if (seq == best.seq && f.greatest >= most) continue;
    best = {i, seq};
    most = f.greatest;
  }
  return best;
}

void Session::check_call(const int64_t* tokens, int64_t count, oc_logits which, const float* logits,
                         size_t capacity) const {
  const Program& p = *program_;
  if (tokens == nullptr || count < 1) {
    fail(OC_BAD_ARGUMENT, "%lld tokens; at least one is needed", static_cast<long long>(count));
  }
  if (which < OC_LOGITS_NONE || which > OC_LOGITS_ALL) fail(OC_BAD_ARGUMENT, "logits %d", which);
  if (count > p.context - past_) {
    fail(OC_CONTEXT_FULL,
         "%lld tokens are in the cache and %lld new ones do not fit the context of %lld",
         static_cast<long long>(past_), static_cast<long long>(count),
         static_cast<long long>(p.context));
  }
  for (int64_t i = 0; i < count; ++i) {
    if (tokens[i] >= 0 && tokens[i] < p.vocabulary) continue;
    fail(OC_BAD_TOKEN, "token %lld is %lld; the vocabulary has %lld", static_cast<long long>(i),
         static_cast<long long>(tokens[i]), static_cast<long long>(p.vocabulary));
  }
  for (int64_t left = count; left > 0;) {
    const int64_t seq = next_chunk(left).seq;
    if (seq == 0) fail(OC_BAD_CALL, "no function takes %lld tokens", static_cast<long long>(left));
    left -= seq;
  }
  if (which == OC_LOGITS_NONE) return;
  const int64_t rows = which == OC_LOGITS_ALL ? count : 1;
  if (logits == nullptr ||
      capacity / static_cast<size_t>(p.vocabulary) < static_cast<size_t>(rows)) {
    fail(OC_BAD_ARGUMENT, "%lld x %lld logits do not fit room for %zu",
         static_cast<long long>(rows), static_cast<long long>(p.vocabulary),
         logits == nullptr ? size_t{0} : capacity);
  }
}

void Session::run(const int64_t* tokens, int64_t count, oc_logits which, float* logits,
                  size_t capacity) {
  check_call(tokens, count, which, logits, capacity);
  for (int64_t done = 0; done < count;) {
    const Chunk chunk = next_chunk(count - done);
    const bool last = done + chunk.seq == count;
    if (which == OC_LOGITS_ALL) {
      run_chunk(chunk, tokens + done, which, logits + done * program_->vocabulary);
    } else {
      run_chunk(chunk, tokens + done, last ? which : OC_LOGITS_NONE, logits);
    }
    done += chunk.seq;
  }
}

void Session::grow(Block* block, int64_t bytes, const char* what) {
  if (bytes <= block->size()) return;
  *block = Block();  // its contents last one call only, so the old one goes first
  const int64_t taken = keys_.size() + values_.size() + arena_.size() + logits_.size();
  *block = limited(bytes, taken, bytes_max_, what);
}

void Session::run_chunk(const Chunk& chunk, const int64_t* tokens, oc_logits which, float* logits) {
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
  const bool whole = which != OC_LOGITS_ALL && !f.optional_head;  // all of them have to be made
  if (whole) {
    grow(&logits_, chunk.seq * p.vocabulary * 4, "logits");
    memory.logits = reinterpret_cast<float*>(logits_.data());
  } else if (which != OC_LOGITS_ALL) {
    memory.logits_from = which == OC_LOGITS_LAST ? chunk.seq - 1 : chunk.seq;
  }
  frame->bind(memory);
  execute(*frame);
  if (whole && which == OC_LOGITS_LAST) {
    std::memcpy(logits, memory.logits + (chunk.seq - 1) * p.vocabulary,
                static_cast<size_t>(p.vocabulary) * 4);
  }
  past_ += chunk.seq;
  stats_.calls += 1;
  stats_.tokens += chunk.seq;
  stats_.arena_bytes = std::max(stats_.arena_bytes, arena_bytes);
  stats_.total_ns += now_ns() - began;
}

void Session::execute(const Frame& frame) {
  const Function& f = frame.function();
  work_.weight_bytes = work_.kv_written_bytes = 0;
  stage_began_ns_ = now_ns();
  for (size_t i = 0; i < f.steps.size(); ++i) {
    const Step& step = f.steps[i];
    if (frame.logits_from() == frame.seq() && makes_logits(frame, step)) continue;
    if (step.stage != stage_) take_stage(step.stage);
    try {
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

void Session::take_stage(uint16_t stage) {
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

void Session::execute_step(const Frame& frame, const Step& step) {
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

void Session::count_step(const Frame& frame, const Step& step) {
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
