#include "optimum_compile/workers.h"

#include <algorithm>
#include <cstdio>
#include <string>

namespace optimum_compile {
namespace {

#if defined(OC_SHARE_ALWAYS)  // for tests
std::atomic<int64_t> worth{1};
#else
std::atomic<int64_t> worth{131072};
#endif

constexpr int kSpins = 1000;  // pauses: 5 to 50 microseconds

inline void pause_a_moment() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

// Whether the condition came to hold within the spins.
template <typename Condition>
bool spin_until(Condition holds) {
  for (int i = 0; i < kSpins; ++i) {
    if (holds()) return true;
    pause_a_moment();
  }
  return false;
}

// The highest clock of a core in kHz; 0 where nobody says it.
int64_t clock_of(int core) {
  const std::string path = "/sys/devices/system/cpu/cpu" + std::to_string(core) + "/cpufreq/cpuinfo_max_freq";
  FILE* const file = std::fopen(path.c_str(), "r");
  if (file == nullptr) return 0;
  long long clock = 0;
  const bool read = std::fscanf(file, "%lld", &clock) == 1;
  std::fclose(file);
  return read ? clock : 0;
}

}  // namespace

int64_t worth_sharing() { return worth.load(std::memory_order_relaxed); }

int good_threads() {
  const int all = std::max(1u, std::thread::hardware_concurrency());
  std::vector<int64_t> clocks;
  for (int core = 0; core < all; ++core) clocks.push_back(clock_of(core));
  const int64_t most = *std::max_element(clocks.begin(), clocks.end());
  if (most == 0) return std::min(all, Workers::kMost);
  // Small cores run at two thirds of the clock and less, and all threads would wait for theirs.
  const auto good = std::count_if(clocks.begin(), clocks.end(), [&](int64_t c) { return 4 * c >= 3 * most; });
  return std::clamp(static_cast<int>(good), 1, Workers::kMost);
}

void Workers::set_count(int count) {
  if (count == count_) return;
  stop();
  count_ = count;
  rooms_.resize(static_cast<size_t>(count));
  vectors_.resize(static_cast<size_t>(count));
}

float* Workers::room(int worker, int64_t n) {
  std::vector<float>& room = rooms_[static_cast<size_t>(worker)];
  if (room.size() < static_cast<size_t>(n)) room.resize(static_cast<size_t>(n));
  return room.data();
}

std::vector<float>& Workers::vector(int worker) { return vectors_[static_cast<size_t>(worker)]; }

void Workers::start() {
  while (static_cast<int>(threads_.size()) + 1 < count_) {
    threads_.emplace_back(&Workers::serve, this, static_cast<int>(threads_.size()) + 1);
  }
}

void Workers::stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
    job_.fetch_add(1);  // spinning threads look
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  stop_ = false;
}

void Workers::share(int64_t n, int64_t piece, const Body& body) {
  if (count_ == 1 || n <= piece) {
    if (n > 0) body(0, 0, n);
    return;
  }
  start();
  body_ = &body;
  size_ = n;
  piece_ = piece;
  next_.store(0);
  error_ = nullptr;
  bool sleepers = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    open_ = true;
    job_.fetch_add(1);
    sleepers = asleep_ > 0;
  }
  if (sleepers) wake_.notify_all();
  work(0);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    open_ = false;  // nobody joins any more
  }
  if (!spin_until([&] { return active_.load() == 0; })) {
    std::unique_lock<std::mutex> lock(mutex_);
    idle_.wait(lock, [&] { return active_.load() == 0; });
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  if (error_ != nullptr) std::rethrow_exception(error_);
}

void Workers::work(int worker) {
  try {
    for (;;) {
      const int64_t begin = next_.fetch_add(piece_);
      if (begin >= size_) return;
      (*body_)(worker, begin, std::min(begin + piece_, size_));
    }
  } catch (...) {
    next_.store(size_);  // what was not begun is left out
    const std::lock_guard<std::mutex> lock(mutex_);
    if (error_ == nullptr) error_ = std::current_exception();
  }
}

bool Workers::enter(uint64_t seen) {
  if (stop_ || !open_ || job_.load() == seen) return false;
  active_.fetch_add(1);
  return true;
}

void Workers::leave() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (active_.fetch_sub(1) == 1) idle_.notify_one();
}

void Workers::serve(int worker) {
  uint64_t seen = 0;
  for (;;) {
    spin_until([&] { return job_.load() != seen; });
    {
      std::unique_lock<std::mutex> lock(mutex_);
      while (!stop_ && job_.load() == seen) {
        ++asleep_;
        wake_.wait(lock);
        --asleep_;
      }
      if (stop_) return;
      const bool joined = enter(seen);
      seen = job_.load();
      if (!joined) continue;
    }
    work(worker);
    leave();
  }
}

}  // namespace optimum_compile

extern "C" {

// For tests: share steps of so many products and more, in this process.
void oc_probe_worth_sharing(int64_t products);
void oc_probe_worth_sharing(int64_t products) { optimum_compile::worth.store(products < 1 ? 1 : products); }

}  // extern "C"
