#include "optimum_compile/runtime/session.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "optimum_compile/runtime/failure.h"

namespace optimum_compile {
namespace {

constexpr int64_t kMostTop = 64;

}  // namespace

int64_t now_ns() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since).count();
}

void top_of(const float* numbers, int64_t n, int64_t k, int64_t* ids, float* values) {
  const auto number = [&](int64_t i) {
    return std::isnan(numbers[i]) ? -std::numeric_limits<float>::infinity() : numbers[i];
  };
  // k is small: the list stays sorted while the numbers go by.
  int64_t held = 0;
  for (int64_t i = 0; i < n; ++i) {
    if (held == k && !(number(i) > number(ids[k - 1]))) continue;
    int64_t at = held < k ? held++ : k - 1;
    for (; at > 0 && number(i) > number(ids[at - 1]); --at) ids[at] = ids[at - 1];
    ids[at] = i;
  }
  for (int64_t i = 0; i < k && values != nullptr; ++i) values[i] = numbers[ids[i]];
}

Session::Session(std::shared_ptr<const Program> program, int64_t bytes_max)
    : program_(std::move(program)),
      bytes_max_(bytes_max),
      stage_stats_(program_->stages.size()) {}

void Session::reset() {
  past_ = 0;
  kept_ = false;
}

void Session::check_limit(int64_t bytes, int64_t taken, const char* what) const {
  if (bytes_max_ <= 0 || bytes <= bytes_max_ - taken) return;
  fail(OC_NO_MEMORY, "%s of %lld bytes beside %lld others; the limit of the session is %lld", what,
       static_cast<long long>(bytes), static_cast<long long>(taken),
       static_cast<long long>(bytes_max_));
}

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
  if (which < OC_LOGITS_NONE || which > OC_LOGITS_KEEP) fail(OC_BAD_ARGUMENT, "logits %d", which);
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
  if (which == OC_LOGITS_NONE || which == OC_LOGITS_KEEP) return;
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
  kept_ = false;
  for (int64_t done = 0; done < count;) {
    const Chunk chunk = next_chunk(count - done);
    const bool last = done + chunk.seq == count;
    if (which == OC_LOGITS_ALL) {
      run_chunk(chunk, tokens + done, which, logits + done * program_->vocabulary);
    } else {
      run_chunk(chunk, tokens + done, last ? which : OC_LOGITS_NONE, logits);
    }
    past_ += chunk.seq;
    stats_.calls += 1;
    stats_.tokens += chunk.seq;
    done += chunk.seq;
  }
  kept_ = which == OC_LOGITS_KEEP;
}

void Session::top(int64_t k, int64_t* ids, float* values) {
  const int64_t most = std::min(kMostTop, program_->vocabulary);
  if (ids == nullptr || k < 1 || k > most) {
    fail(OC_BAD_ARGUMENT, "the %lld likeliest tokens; 1 to %lld can be asked for",
         static_cast<long long>(k), static_cast<long long>(most));
  }
  if (!kept_) fail(OC_BAD_CALL, "the last call kept no logits: run with OC_LOGITS_KEEP first");
  find_top(k, ids, values);
}

void Session::set_width(int64_t bits) {
  const int64_t least = program_->least_width, greatest = program_->greatest_width;
  if (bits != 0 && least == 0) {
    fail(OC_BAD_ARGUMENT, "a width of %lld bits; the model has no nested weights",
         static_cast<long long>(bits));
  }
  if (bits != 0 && (bits < least || bits > greatest)) {
    fail(OC_BAD_ARGUMENT, "a width of %lld bits; the nested weights have %lld to %lld",
         static_cast<long long>(bits), static_cast<long long>(least),
         static_cast<long long>(greatest));
  }
  width_ = bits;
  take_width();
}

void Session::set_threads(int64_t threads) {
  if (threads < 0 || threads > Workers::kMost) {
    fail(OC_BAD_ARGUMENT, "%lld threads; 1 to %d can be asked for, or 0 for as many as there are fast cores",
         static_cast<long long>(threads), Workers::kMost);
  }
  take_threads(threads == 0 ? good_threads() : static_cast<int>(threads));
}

SeenCache Session::cache(const std::string& name) {
  for (const Cache& c : program_->caches) {
    if (c.name == name) return see(c);
  }
  fail(OC_BAD_CALL, "the model has no cache '%s'", name.c_str());
}

void Session::generate(const int64_t* prompt, int64_t count, int64_t most, const int64_t* stops,
                       int64_t stop_count, int64_t* out, int64_t* made) {
  *made = 0;
  if (most < 0 || stop_count < 0 || (most > 0 && out == nullptr) ||
      (stop_count > 0 && stops == nullptr)) {
    fail(OC_BAD_ARGUMENT, "%lld tokens to make, %lld to stop at", static_cast<long long>(most),
         static_cast<long long>(stop_count));
  }
  struct Mark {
    bool& on;
    explicit Mark(bool& flag) : on(flag) { on = true; }
    ~Mark() { on = false; }
  } const mark(generating_);
  run(prompt, count, most == 0 ? OC_LOGITS_NONE : OC_LOGITS_KEEP, nullptr, 0);
  while (*made < most) {
    int64_t& id = out[*made];
    top(1, &id, nullptr);
    *made += 1;
    const bool stop = std::find(stops, stops + stop_count, id) != stops + stop_count;
    if (stop || *made == most || past_ == program_->context) return;
    run(&id, 1, OC_LOGITS_KEEP, nullptr, 0);
  }
}

}  // namespace optimum_compile
