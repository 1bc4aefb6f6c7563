// A cache, an arena and the steps of calls.
#ifndef OPTIMUM_COMPILE_RUNTIME_SESSION_H
#define OPTIMUM_COMPILE_RUNTIME_SESSION_H

#include <cstdint>
#include <memory>
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

class Session {
 public:
  // bytes_max: of caches, arena and logits together; 0: no limit.
  Session(std::shared_ptr<const Program> program, int64_t bytes_max);

  void reset() { past_ = 0; }
  void run(const int64_t* tokens, int64_t count, oc_logits which, float* logits, size_t capacity);

  const Program& program() const { return *program_; }
  int64_t past() const { return past_; }
  const oc_stats& stats() const { return stats_; }
  const oc_stage_stats& stage_stats(size_t stage) const { return stage_stats_[stage]; }
  void clear_stats();

 private:
  // Tokens that one pass through a function takes, of `left`.
  struct Chunk {
    size_t function;
    int64_t seq;
  };
  Chunk next_chunk(int64_t left) const;
  void check_call(const int64_t* tokens, int64_t count, oc_logits which, const float* logits,
                  size_t capacity) const;
  void run_chunk(const Chunk& chunk, const int64_t* tokens, oc_logits which, float* logits);
  void execute(const Frame& frame);
  void execute_step(const Frame& frame, const Step& step);
  void take_stage(uint16_t stage);
  void count_step(const Frame& frame, const Step& step);
  void grow(Block* block, int64_t bytes, const char* what);

  const std::shared_ptr<const Program> program_;
  const int64_t bytes_max_;
  Block keys_, values_, arena_, logits_;
  Workspace work_;
  std::vector<std::unique_ptr<Frame>> frames_;  // one a function, made when first used
  int64_t past_ = 0;

  const KernelSet* kernels_ = nullptr;
  size_t stage_ = SIZE_MAX;
  int64_t stage_began_ns_ = 0;
  oc_stats stats_ = {};
  std::vector<oc_stage_stats> stage_stats_;
};

}  // namespace optimum_compile

#endif
