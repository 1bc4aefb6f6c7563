// A planned program as tables; docs/native.md says what they mean.
#ifndef OPTIMUM_COMPILE_RUNTIME_PROGRAM_H
#define OPTIMUM_COMPILE_RUNTIME_PROGRAM_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "optimum_compile/kv_cache.h"
#include "optimum_compile/low_bit.h"
#include "optimum_compile/nested.h"
#include "optimum_compile/runtime/container.h"
#include "optimum_compile/runtime/mapping.h"
#include "optimum_compile/vectors.h"

namespace optimum_compile {

constexpr uint32_t kNone = 0xFFFFFFFFu;
constexpr int kMaxAxes = 8;

enum class Element : uint8_t { f32 = 0, f16 = 1, i64 = 2, u8 = 3 };
int64_t item_bytes(Element element);

struct Symbol {
  std::string name;
  int64_t low = 0, high = 0;
};

enum class ExprOp : uint8_t { constant = 0, symbol, add, sub, mul, floordiv, max, min, ref };

struct ExprItem {
  ExprOp op;
  int64_t argument;
};

// Items first .. first + count - 1 of Program::items.
struct Expression {
  uint32_t first = 0, count = 0;
  bool uses_past = false;
  bool uses_from = false;  // the symbol `first` of a section for GPUs
};

enum class Relation : uint8_t { zero = 0, not_negative = 1, divisible = 2 };

struct Guard {
  uint32_t expr = 0;
  Relation relation = Relation::zero;
  int64_t argument = 0;
  std::string text;
};

// What kernels are chosen by.
enum class Precision : uint8_t { int8, int4, int3, int2, fp16 };

struct Stage {
  std::string name, precision_name;
  Precision precision = Precision::fp16;
};

struct Part {
  Bytes bytes;
  Element element = Element::u8;
};

enum class WeightKind : uint8_t { f32 = 0, f16, affine, lut, e0m4, nested, vectors };

struct Weight {
  std::string name;
  WeightKind kind = WeightKind::f32;
  int64_t rows = 0, columns = 0;
  int64_t bytes = 0;  // that a product with all of it reads, of nested ones at `nested_width`

  // By kind: one of these is filled and was checked.
  const float* floats = nullptr;
  const uint16_t* halves = nullptr;
  PackedMatrix packed;
  NestedMatrix nested;
  int64_t nested_width = 0;
  VectorMatrix vectors;

  // Where a call asks for `width` bits of nested weights: those that this one, which is nested, is
  // read with, and what a product with all of it then reads. 0: as the file says.
  int64_t width_at(int64_t width) const;
  int64_t bytes_at(int64_t width) const;
};

struct Cache {
  std::string name;
  KvSpec spec;
  int64_t offset = 0;  // bytes in the arena of its role
  int64_t bytes = 0;
};

enum class Space : uint8_t { arena = 0, keys, values, input, output, constant };

struct Buffer {
  std::string name;
  Space space = Space::arena;
  Element element = Element::f32;
  uint32_t elements = 0;  // expression
  uint32_t at = 0;        // expression of the offset, cache, number of the argument, or part
  bool uses_past = false;
};

struct View {
  uint32_t buffer = 0;
  uint32_t offset = 0;
  int rank = 0;
  uint32_t dims[kMaxAxes] = {};
  uint32_t strides[kMaxAxes] = {};
  bool uses_past = false;
};

enum class OperandKind : uint8_t { none = 0, view = 1, weight = 2, cache = 3 };

struct Operand {
  OperandKind kind = OperandKind::none;
  uint32_t index = kNone;
};

enum class AttributeKind : uint8_t { whole = 0, real = 1, expr = 2 };

struct Attribute {
  AttributeKind kind = AttributeKind::whole;
  int64_t whole = 0;  // also the index of an expression
  double real = 0;
};

enum class Op : uint16_t {
  embedding = 1,
  linear,
  rms_norm,
  layer_norm,
  add_rms_norm,
  hadamard,
  rope,
  kv_write,
  attention,
  kv_attention,
  gated,
  unary,
  binary,
  softmax,
  route,
  copy,
  reduce,
  skip,
};
constexpr int kOps = 19;  // one more than the last
const char* name_of(Op op);

struct Step {
  Op op = Op::copy;
  uint16_t stage = 0;
  std::vector<Operand> inputs, outputs;
  std::vector<Attribute> attributes;
};

struct Function {
  std::string name;
  int64_t least = 0, greatest = 0;
  uint32_t arena = 0;
  bool optional_head = false;  // logits of tokens that nobody asked for can be left out
  std::vector<Buffer> buffers;
  std::vector<View> views;
  std::vector<Step> steps;
};

struct GpuProgram;

struct Program {
  std::shared_ptr<const Mapping> mapping;
  Bytes metadata;
  int64_t weight_bytes = 0;
  std::shared_ptr<const GpuProgram> gpu;  // the same for a GPU, where the file has it
  uint32_t gpu_version = 0;               // of that section; 0: there is none

  int64_t vocabulary = 0, context = 0, max_prefill = 0;
  int64_t key_bytes = 0, value_bytes = 0;
  int64_t least_width = 0, greatest_width = 0;  // of nested weights; 0 where there are none
  std::vector<Symbol> symbols;
  uint32_t seq = kNone, past = kNone;  // which symbols they are
  std::vector<ExprItem> items;
  std::vector<Expression> expressions;
  std::vector<Guard> guards;
  std::vector<Stage> stages;
  std::vector<Part> parts;
  std::vector<Weight> weights;
  std::vector<Cache> caches;
  std::vector<Function> functions;
};

// Map, read and check everything that does not depend on the sizes of a call.
std::shared_ptr<const Program> load(std::shared_ptr<const Mapping> mapping, bool verify_weights);

// The parts of `load`, in the order of the section.
void read_tables(Cursor& in, Bytes weights, Program* program);
Weight read_weight(Cursor& in, const Program& program);
Function read_function(Cursor& in, const Program& program);
std::string read_name(Cursor& in);

// Symbols that expressions may name; kNone: this one is not among them.
struct Symbols {
  size_t count = 0;
  uint32_t past = kNone, from = kNone;
};
// The next entry of a table, of which `before` is there; its items go behind the others.
Expression read_expression(Cursor& in, const Symbols& symbols,
                           const std::vector<Expression>& before, std::vector<ExprItem>* items);

// An index into a table of `size` entries.
uint32_t read_index(Cursor& in, size_t size, const char* what);

}  // namespace optimum_compile

#endif
