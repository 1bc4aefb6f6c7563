// What hosts of a GPU share, whatever its driver: the numbers of a call, and checks of a section.
#ifndef OPTIMUM_COMPILE_GPU_NUMBERS_H
#define OPTIMUM_COMPILE_GPU_NUMBERS_H

#include <cstdint>
#include <memory>
#include <vector>

#include "optimum_compile/gpu/kernel_table.h"
#include "optimum_compile/gpu/program.h"
#include "optimum_compile/runtime/frame.h"

namespace optimum_compile::gpu {

// The expressions of a section with values of seq, past and first.
class GpuNumbers {
 public:
  explicit GpuNumbers(std::shared_ptr<const Program> program);

  // Where only `past` differs from the last time, only what depends on it is counted again.
  void set(int64_t seq, int64_t past, int64_t first);

  // As a word: an unsigned number, or a signed one in two's complement. A Failure where it is neither.
  uint32_t word(uint32_t expr) const;
  uint32_t word(const Param& param) const {
    return param.kind == ParamKind::expr ? word(param.value) : param.value;
  }
  bool uses_past(uint32_t expr) const { return gpu_.expressions[expr].uses_past; }

 private:
  const std::shared_ptr<const Program> program_;
  const GpuProgram& gpu_;
  std::vector<int64_t> symbols_, values_;
  std::vector<bool> known_;
  bool set_ = false;
};

// The section of a program; a Failure where it has none that this runtime reads.
const GpuProgram& section_of(const Program& program);

// The kernels that a section names; a Failure where the table lacks one or has another interface.
std::vector<const KernelEntry*> kernels_of(const GpuProgram& section, const KernelTable& table);

// Whether a dispatch gives its kernel what it takes; most: bytes that the device shows of a buffer.
void check_dispatch(const Program& program, const KernelEntry& kernel, const Dispatch& dispatch,
                    uint64_t most);

// Whether constants are those of a kernel: their number, and a workgroup that kernels are made for.
void check_constant_list(const KernelEntry& kernel, const uint32_t* constants, size_t count);

// Bytes of the arena for `seq` tokens, with as many behind as may be: what is recorded then stays.
int64_t arena_bytes(const Program& program, const Function& function, Numbers* numbers, int64_t seq,
                    int64_t past);

// The dispatches of a function where nested weights are read with `width` bits; 0: as without a width.
uint32_t list_at(const Program& program, const GpuFunction& function, int64_t width);

// Bytes of weights that the steps of a pass read at a width, as the CPU counts them.
int64_t weight_bytes(const Program& program, const Function& function, int64_t seq, bool logits,
                     int64_t width);

}  // namespace optimum_compile::gpu

#endif
