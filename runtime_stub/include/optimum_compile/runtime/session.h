// Sessions: a cache, and the passes through functions that calls become.
#ifndef OPTIMUM_COMPILE_RUNTIME_SESSION_H
#define OPTIMUM_COMPILE_RUNTIME_SESSION_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "optimum_compile/optimum_compile.h"
#include "optimum_compile/runtime/frame.h"
#include "optimum_compile/runtime/kernels.h"
#include "optimum_compile/runtime/program.h"

namespace optimum_compile {

// Zeros at a multiple of 64; the system gives them when they are first touched.
class Block {
 public:
  Block() = default;
  Block(int64_t bytes, const char* what);  // a Failure where there are not as many
  ~Block();
  Block(Block&& other) noexcept;
  Block& operator=(Block&& other) noexcept;

  uint8_t* data() const { return data_; }
  int64_t size() const { return size_; }

 private:
  void* owned_ = nullptr;
  uint8_t* data_ = nullptr;
  int64_t size_ = 0;
};

// A cache where the host can read it, as long as `kept` is there.
struct SeenCache {
  KvCache cache;
  std::shared_ptr<const void> kept;
};

// Tokens behind tokens: what does not depend on where the steps run.
class Session {
 public:
  virtual ~Session() = default;

  void reset();
  void run(const int64_t* tokens, int64_t count, oc_logits which, float* logits, size_t capacity);
  // The likeliest tokens after a run that kept its logits.
  void top(int64_t k, int64_t* ids, float* values);
  // Bits that nested weights are read with from the next run on; 0: all of them.
  void set_width(int64_t bits);
  // Threads that compute, the caller included; 0: as many as there are fast cores.
  void set_threads(int64_t threads);
  void generate(const int64_t* prompt, int64_t count, int64_t most, const int64_t* stops,
                int64_t stop_count, int64_t* out, int64_t* made);

  const Program& program() const { return *program_; }
  int64_t past() const { return past_; }
  // The cache of that name as it is now; from a device it is copied.
  SeenCache cache(const std::string& name);
  const oc_stats& stats() const { return stats_; }
  const oc_stage_stats& stage_stats(size_t stage) const { return stage_stats_[stage]; }
  void clear_stats();

 protected:
  // bytes_max: of caches, arena and logits together; 0: no limit.
  Session(std::shared_ptr<const Program> program, int64_t bytes_max);

  // Tokens that one pass through a function takes, of `left`.
  struct Chunk {
    size_t function;
    int64_t seq;
  };
  // One pass. Logits of all its tokens, of the last one, or of none, as `which` says.
  virtual void run_chunk(const Chunk& chunk, const int64_t* tokens, oc_logits which,
                         float* logits) = 0;
  virtual void find_top(int64_t k, int64_t* ids, float* values) = 0;
  virtual SeenCache see(const Cache& cache) = 0;
  // `width_` is another one.
  virtual void take_width() {}
  // From the next run on.
  virtual void take_threads(int) {}
  // A Failure where `bytes` more than `taken` pass the limit.
  void check_limit(int64_t bytes, int64_t taken, const char* what) const;

  const std::shared_ptr<const Program> program_;
  const int64_t bytes_max_;
  int64_t past_ = 0;
  int64_t width_ = 0;  // of nested weights; 0: all bits
  oc_stats stats_ = {};
  std::vector<oc_stage_stats> stage_stats_;
  bool generating_ = false;  // the likeliest token will be asked for after each pass

 private:
  Chunk next_chunk(int64_t left) const;
  void check_call(const int64_t* tokens, int64_t count, oc_logits which, const float* logits,
                  size_t capacity) const;

  bool kept_ = false;
};

// On the CPU: the steps of the program, one after another.
class CpuSession : public Session {
 public:
  CpuSession(std::shared_ptr<const Program> program, int64_t bytes_max);

 private:
  void run_chunk(const Chunk& chunk, const int64_t* tokens, oc_logits which,
                 float* logits) override;
  void find_top(int64_t k, int64_t* ids, float* values) override;
  SeenCache see(const Cache& cache) override;
  void take_width() override;
  void take_threads(int count) override;
  Block limited(int64_t bytes, int64_t taken, const char* what) const;
  void execute(const Frame& frame);
  void execute_step(const Frame& frame, const Step& step);
  size_t skip_steps(const Frame& frame, size_t skip);
  void take_stage(uint16_t stage);
  void count_step(const Frame& frame, const Step& step);
  void grow(Block* block, int64_t bytes, const char* what);

  Block keys_, values_, arena_, logits_;
  Workspace work_;
  std::vector<std::unique_ptr<Frame>> frames_;  // one a function, made when first used
  const float* last_logits_ = nullptr;          // of the last token, where they were kept

  const KernelSet* kernels_ = nullptr;
  size_t stage_ = SIZE_MAX;
  int64_t stage_began_ns_ = 0;
};

// Nanoseconds of a clock that never goes back.
int64_t now_ns();

// The k greatest of n numbers, the first of equal ones first; no number counts as the least.
void top_of(const float* numbers, int64_t n, int64_t k, int64_t* ids, float* values);

}  // namespace optimum_compile

#endif
