// The section GPU of a program as tables; docs/gpu.md says what they mean.
#ifndef OPTIMUM_COMPILE_GPU_PROGRAM_H
#define OPTIMUM_COMPILE_GPU_PROGRAM_H

#include <cstdint>
#include <string>
#include <vector>

#include "optimum_compile/runtime/program.h"

namespace optimum_compile {

namespace gpu {

constexpr uint32_t kSectionVersion = 2;
constexpr int64_t kBindAlignment = 256;

struct NamedKernel {
  std::string name;
  uint32_t crc = 0;
};

struct PipelineOf {
  uint32_t kernel = 0;
  std::vector<uint32_t> constants;  // local_size_x first
};

enum class BoundKind : uint8_t { arena = 0, cache, part, tokens, logits, none };

struct Bound {
  BoundKind kind = BoundKind::none;
  uint32_t index = 0;              // of a cache or a part
  uint64_t offset = 0, bytes = 0;  // of a part; up to 3 of them behind its end
};

enum class ParamKind : uint8_t { bits = 0, real, expr };

struct Param {
  ParamKind kind = ParamKind::bits;
  uint32_t value = 0;  // also the index of an expression
};

struct Dispatch {
  uint32_t pipeline = 0;
  uint16_t stage = 0;
  bool waits = false;         // for all before it
  bool makes_logits = false;  // left out where nobody wants them
  uint32_t groups[3] = {};    // expressions
  std::vector<Bound> buffers;
  std::vector<Param> params;
};

struct GpuFunction {
  bool optional_head = false;
  std::vector<Dispatch> dispatches;          // all that there are, whatever the width
  std::vector<std::vector<uint32_t>> lists;  // which of them run, in order; all lists are as long
  std::vector<uint32_t> list_of;             // by width: where none is named, then each

  size_t size() const { return lists[0].size(); }
  const Dispatch& at(uint32_t list, size_t index) const { return dispatches[lists[list][index]]; }
};

// Check the section and put it into the program; one of another version is left out.
void read_section(Bytes section, Program* program);

}  // namespace gpu

struct GpuProgram {
  std::vector<gpu::NamedKernel> kernels;
  std::vector<ExprItem> items;
  std::vector<Expression> expressions;  // the last symbol is `first`
  std::vector<gpu::PipelineOf> pipelines;
  std::vector<gpu::GpuFunction> functions;
};

}  // namespace optimum_compile

#endif
