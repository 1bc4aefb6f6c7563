// A few threads that share the rows of a product, or the heads of an attention, with the one that asks.
#ifndef OPTIMUM_COMPILE_WORKERS_H
#define OPTIMUM_COMPILE_WORKERS_H

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace optimum_compile {

// Products of numbers that are worth sharing: fewer take less time than a thread needs to wake up.
int64_t worth_sharing();

// For one caller at a time. Between jobs the threads spin for some microseconds, then they sleep: on a busy
// machine a thread that spins takes the time of one that works. A job does not wait for threads that sleep on:
// what they would have done, others do.
class Workers {
 public:
  static constexpr int kMost = 256;

  Workers() = default;
  ~Workers() { stop(); }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // How many work, the caller included: 1 to kMost. Threads begin when they are first needed.
  void set_count(int count);
  int count() const { return count_; }

  // A part of a job: numbers begin .. end - 1, done by worker `worker`, which is 0 for the caller.
  using Body = std::function<void(int worker, int64_t begin, int64_t end)>;

  // Calls `body` for parts of 0 .. n - 1, each number once, in pieces of at most `piece`. An exception of a part
  // leaves this call once all parts that were begun are over; the others may be left out.
  void share(int64_t n, int64_t piece, const Body& body);

  // Where one worker keeps numbers between parts; what it held is lost.
  float* room(int worker, int64_t n);
  std::vector<float>& vector(int worker);

 private:
  void stop();
  void start();
  void serve(int worker);
  void work(int worker);
  bool enter(uint64_t seen);  // whether there is a job to join that is not `seen`
  void leave();

  int count_ = 1;
  std::vector<std::thread> threads_;
  std::vector<std::vector<float>> rooms_ = std::vector<std::vector<float>>(1);
  std::vector<std::vector<float>> vectors_ = std::vector<std::vector<float>>(1);

  // The job. Threads read it between `enter` and `leave`.
  const Body* body_ = nullptr;
  int64_t size_ = 0, piece_ = 1;
  std::atomic<int64_t> next_{0};
  std::exception_ptr error_;

  std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::atomic<uint64_t> job_{0};  // number of the newest one
  std::atomic<int> active_{0};    // threads in it
  bool open_ = false, stop_ = false;
  int asleep_ = 0;
};

// Cores that a session may use: those of the highest clock where the system says so, else all.
int good_threads();

}  // namespace optimum_compile

#endif
