// A function with the sizes of one call: expressions become numbers, views become tensors.
#ifndef OPTIMUM_COMPILE_RUNTIME_FRAME_H
#define OPTIMUM_COMPILE_RUNTIME_FRAME_H

#include <cstdint>
#include <vector>

#include "optimum_compile/runtime/program.h"
#include "optimum_compile/runtime/tensor.h"

namespace optimum_compile {

// The number of an expression whose refs are in `values` where `known` says so; false where it has none.
bool evaluate(const std::vector<ExprItem>& items, const Expression& expression,
              const std::vector<int64_t>& symbols, const std::vector<int64_t>& values,
              const std::vector<bool>& known, int64_t* out);

// The expressions of a program with values of seq and past.
class Numbers {
 public:
  explicit Numbers(const Program& program);

  // Check the bounds of the symbols and the guards. Where only `past` differs from the last time,
  // only what depends on it is counted again.
  void set(int64_t seq, int64_t past);

  // The number of an expression; a Failure where it has none.
  int64_t at(uint32_t expr) const;
  bool kept() const { return kept_; }  // whether the last `set` left what does not depend on past

 private:
  void check_guards() const;

  const Program& program_;
  std::vector<int64_t> symbols_, values_;
  std::vector<bool> known_;
  int64_t seq_ = -1;
  bool kept_ = false;
};

// The memory of one call.
struct Memory {
  uint8_t* arena = nullptr;
  int64_t arena_bytes = 0;
  uint8_t* keys = nullptr;
  uint8_t* values = nullptr;
  const int64_t* tokens = nullptr;
  float* logits = nullptr;
  int64_t logits_from =
      0;  // token: `logits` begins with its; above 0 only where the head is optional
};

// The views of a function as tensors.
class Frame {
 public:
  Frame(const Program& program, const Function& function);

  // Bytes of the arena for these sizes.
  int64_t set(int64_t seq, int64_t past);

  // Resolve every view, and check that its whole extent lies in its buffer, and that in its memory.
  void bind(const Memory& memory);

  const Tensor& view(uint32_t index) const { return views_[index]; }
  int64_t number(uint32_t expr) const { return numbers_.at(expr); }
  const Function& function() const { return function_; }
  int64_t seq() const { return seq_; }
  int64_t past() const { return past_; }
  int64_t logits_from() const { return memory_.logits_from; }
  int64_t logits_room() const { return (seq_ - memory_.logits_from) * program_.vocabulary; }

 private:
  struct Place {
    uint8_t* data = nullptr;
    int64_t elements = 0;
  };
  Place place(const Buffer& buffer) const;
  Tensor resolve(const View& view) const;

  const Program& program_;
  const Function& function_;
  Numbers numbers_;
  Memory memory_;
  std::vector<Place> places_;
  std::vector<Tensor> views_;
  int64_t seq_ = 0, past_ = 0;
  bool bound_ = false;
};

}  // namespace optimum_compile

#endif
