// What executes a step, one function an op, and the sets of them that stages are run with.
#ifndef OPTIMUM_COMPILE_RUNTIME_KERNELS_H
#define OPTIMUM_COMPILE_RUNTIME_KERNELS_H

#include <cstdint>
#include <memory>
#include <vector>

#include "optimum_compile/rows.h"
#include "optimum_compile/runtime/frame.h"
#include "optimum_compile/runtime/program.h"
#include "optimum_compile/runtime/tensor.h"
#include "optimum_compile/workers.h"

namespace optimum_compile {

// What kernels of one session share.
class Workspace {
 public:
  Workspace(const Program& program, uint8_t* keys, uint8_t* values);

  const Weight& weight(uint32_t index) const { return program_.weights[index]; }
  // A reader of its rows for one worker, valid until that one asks for another weight: readers keep room for
  // a row of codes and one of floats, which for all weights together would be more than the arena.
  RowReader& rows(uint32_t weight, int worker = 0);

  // The threads of the session; 1 to Workers::kMost.
  void set_threads(int count);
  Workers& workers() { return workers_; }

  // Bits that nested weights are read with from now on; 0: as the file says.
  void set_width(int64_t bits);
  // What a product with all of a weight reads at this width.
  int64_t bytes_of(const Weight& weight) const { return weight.bytes_at(width_); }

  // The only row of a norm weight, a bias; `room` is where it is kept.
  const float* vector(uint32_t weight, int64_t size, int room);

  KvCache cache(uint32_t index) const;

  // Room number 0..7 for n floats; what it held is lost.
  float* room(int number, int64_t n);
  // Where x of a product lies in the order of its kernel.
  std::vector<float>& arranged() { return arranged_; }

  int64_t weight_bytes = 0;      // read by the steps of this call
  int64_t kv_written_bytes = 0;  // by those that store into packed caches

 private:
  const Program& program_;
  uint8_t* const keys_;
  uint8_t* const values_;
  struct Reader {
    std::unique_ptr<RowReader> rows;
    uint32_t of = kNone;
  };
  std::vector<Reader> readers_ = std::vector<Reader>(1);  // one a worker
  Workers workers_;
  std::vector<float> arranged_;
  int64_t width_ = 0;
  std::vector<float> rooms_[8];
};

// One step of one call. Kernels check the shapes of its operands before they touch anything.
struct StepCall {
  const Step& step;
  const Frame& frame;
  Workspace& work;

  const Tensor& in(size_t i) const { return frame.view(step.inputs[i].index); }
  const Tensor& out(size_t i) const { return frame.view(step.outputs[i].index); }
  bool has(size_t i) const { return step.inputs[i].kind != OperandKind::none; }
  uint32_t index(size_t i) const { return step.inputs[i].index; }
  int64_t whole(size_t i) const { return step.attributes[i].whole; }
  double real(size_t i) const { return step.attributes[i].real; }
  int64_t number(size_t i) const {
    return frame.number(static_cast<uint32_t>(step.attributes[i].whole));
  }
  // A Failure that names the op where the condition does not hold.
  void need(bool condition, const char* what) const;
};

using Kernel = void (*)(const StepCall&);

// The kernels of one precision.
struct KernelSet {
  Kernel of[kOps] = {};
};
const KernelSet& kernels_of(Precision precision);

void embedding(const StepCall& c);
void linear(const StepCall& c);
void rms_norm(const StepCall& c);
void layer_norm(const StepCall& c);
void add_rms_norm(const StepCall& c);
void hadamard(const StepCall& c);
void rope(const StepCall& c);
void store_kv(const StepCall& c);
void attend(const StepCall& c);
void store_and_attend(const StepCall& c);
void gated(const StepCall& c);
void unary(const StepCall& c);
void binary(const StepCall& c);
void softmax(const StepCall& c);
void route(const StepCall& c);
void copy(const StepCall& c);
void reduce(const StepCall& c);

// What a skip asks: whether every number of a view is 0. And what its last step makes then.
bool all_zero(const Tensor& x);
void set_zero(const Tensor& y);

}  // namespace optimum_compile

#endif
