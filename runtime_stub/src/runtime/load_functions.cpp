#include <cmath>
#include <cstring>

#include "optimum_compile/runtime/failure.h"
#include "optimum_compile/runtime/program.h"

namespace optimum_compile {
namespace {

// Operands of an op: v view, w weight, c cache; capitals may
// be none. Attributes: i i64, f f64, e expr.
struct Signature {
  const char* name;
  const char* inputs;
  const char* outputs;  // "v+" is one or more
  const char* attributes;
};
constexpr Signature kSignatures[kOps] = {
    {nullptr, nullptr, nullptr, nullptr},
    {"embedding", "vw", "v", ""},
    {"linear", "vwWV", "v+", "i"},
    {"rms_norm", "vW", "v", "f"},
    {"layer_norm", "vWW", "v", "f"},
    {"add_rms_norm", "vvW", "vv", "f"},
    {"hadamard", "v", "v", "i"},
    {"rope", "vw", "v", "e"},
    {"kv_write", "vc", "", "e"},
    {"attention", "vccV", "v", "efi"},
    {"kv_attention", "vvvccV", "v", "efi"},
    {"gated", "vv", "v", "i"},
    {"unary", "v", "v", "i"},
    {"binary", "vv", "v", "i"},
    {"softmax", "v", "v", "i"},
    {"route", "v", "v", "ii"},
    {"copy", "v", "v", ""},
    {"reduce", "v", "v", "ii"},
    {"skip", "v", "", "i"},
};

Buffer read_buffer(Cursor& in, const Program& p) {
  Buffer b;
  b.name = read_name(in);
  const uint8_t space = in.u8(), element = in.u8();
  if (space > static_cast<uint8_t>(Space::constant) ||
      element > static_cast<uint8_t>(Element::u8)) {
    fail(OC_BAD_VERSION, "buffer %s in space %d of dtype %d", b.name.c_str(), space, element);
  }
  b.space = static_cast<Space>(space);
  b.element = static_cast<Element>(element);
  b.elements = read_index(in, p.expressions.size(), "the size of a buffer");
  const size_t sizes[] = {p.expressions.size(), p.caches.size(), p.caches.size(), 1, 1,
                          p.parts.size()};
  b.at = read_index(in, sizes[space], "the place of a buffer");
  b.uses_past = p.expressions[b.elements].uses_past;
  if (b.space == Space::arena) b.uses_past = b.uses_past || p.expressions[b.at].uses_past;
  return b;
}

void check_buffer(const Buffer& b, const Program& p) {
  const char* name = b.name.c_str();
  if (b.space == Space::input && b.element != Element::i64) {
    fail(OC_BAD_FILE, "input %s is no i64", name);
  }
  if (b.space == Space::output && b.element != Element::f32) {
    fail(OC_BAD_FILE, "output %s is no f32", name);
  }
  if (b.space == Space::constant && b.element != p.parts[b.at].element) {
    fail(OC_BAD_FILE, "buffer %s and its part differ in dtype", name);
  }
  if (b.space != Space::keys && b.space != Space::values) return;
  const Cache& cache = p.caches[b.at];
  const KvRole role = b.space == Space::keys ? KvRole::keys : KvRole::values;
  if (cache.spec.bits != 16 || b.element != Element::f16 || cache.spec.role != role) {
    fail(OC_BAD_FILE, "buffer %s: only caches of 16 bits of that role are rows of f16", name);
  }
}

View read_view(Cursor& in, const Program& p, const Function& f) {
  View v;
  v.buffer = read_index(in, f.buffers.size(), "the buffer of a view");
  v.offset = read_index(in, p.expressions.size(), "the offset of a view");
  v.rank = in.u8();
  if (v.rank > kMaxAxes) fail(OC_BAD_FILE, "a view of %d axes", v.rank);
  v.uses_past = f.buffers[v.buffer].uses_past || p.expressions[v.offset].uses_past;
  for (uint32_t* table : {v.dims, v.strides}) {
    for (int i = 0; i < v.rank; ++i) {
      table[i] = read_index(in, p.expressions.size(), "an expression of a view");
      v.uses_past = v.uses_past || p.expressions[table[i]].uses_past;
    }
  }
  return v;
}

Operand read_operand(Cursor& in, const Program& p, const Function& f) {
  const uint8_t kind = in.u8();
  const uint32_t index = in.u32();
  if (kind > static_cast<uint8_t>(OperandKind::cache)) {
    fail(OC_BAD_VERSION, "an operand of kind %d", kind);
  }
  const Operand out{static_cast<OperandKind>(kind), index};
  const size_t sizes[] = {0, f.views.size(), p.weights.size(), p.caches.size()};
  const bool good = out.kind == OperandKind::none ? index == kNone : index < sizes[kind];
  if (!good) fail(OC_BAD_FILE, "an operand is %u, its table has %zu entries", index, sizes[kind]);
  return out;
}

Attribute read_attribute(Cursor& in, const Program& p) {
  Attribute a;
  const uint8_t kind = in.u8();
  if (kind > static_cast<uint8_t>(AttributeKind::expr)) {
    fail(OC_BAD_VERSION, "an attribute of kind %d", kind);
  }
  a.kind = static_cast<AttributeKind>(kind);
  if (a.kind == AttributeKind::real) {
    a.real = in.f64();
    return a;
  }
  a.whole = in.i64();
  const bool expr = a.kind == AttributeKind::expr;
  if (expr && (a.whole < 0 || static_cast<uint64_t>(a.whole) >= p.expressions.size())) {
    fail(OC_BAD_FILE, "an attribute is an expression that is not there");
  }
  return a;
}

bool fits(const Operand& operand, char wanted) {
  if (operand.kind == OperandKind::none) return wanted == 'W' || wanted == 'V';
  constexpr char kLetters[] = {'-', 'v', 'w', 'c'};
  return (wanted | 0x20) == kLetters[static_cast<int>(operand.kind)];
}

// Inputs and outputs are of the kinds that the op has; what was left out at the end becomes none.
void check_operands(Step* step) {
  const Signature& s = kSignatures[static_cast<int>(step->op)];
  const size_t most = std::strlen(s.inputs);
  if (step->inputs.size() > most) {
    fail(OC_BAD_FILE, "%s with %zu inputs", s.name, step->inputs.size());
  }
  step->inputs.resize(most);
  for (size_t i = 0; i < most; ++i) {
    if (!fits(step->inputs[i], s.inputs[i])) {
      fail(OC_BAD_FILE, "%s: input %zu has the wrong kind", s.name, i);
    }
  }
  const bool many = std::strcmp(s.outputs, "v+") == 0;
  const size_t count = step->outputs.size();
  if (many ? count < 1 : count != std::strlen(s.outputs)) {
    fail(OC_BAD_FILE, "%s with %zu outputs", s.name, count);
  }
  for (const Operand& o : step->outputs) {
    if (o.kind != OperandKind::view) fail(OC_BAD_FILE, "%s: an output is no view", s.name);
  }
}

// Views of compute are floats, and what is written may be written.
void check_views(const Step& step, const Function& f) {
  const auto buffer = [&](const Operand& o) -> const Buffer& {
    return f.buffers[f.views[o.index].buffer];
  };
  const bool any = step.op == Op::copy;
  for (size_t i = 0; i < step.inputs.size(); ++i) {
    if (step.inputs[i].kind != OperandKind::view) continue;
    const Element element = buffer(step.inputs[i]).element;
    const bool ids = step.op == Op::embedding && i == 0;
    const bool good =
        ids ? element == Element::i64 : element == Element::f32 || element == Element::f16;
    if (!good && !any) fail(OC_BAD_FILE, "%s: input %zu has the wrong dtype", name_of(step.op), i);
  }
  const bool attends = step.op == Op::attention || step.op == Op::kv_attention;
  // Scratch: the only input that is written.
  if (attends && step.inputs.back().kind == OperandKind::view) {
    const Buffer& scratch = buffer(step.inputs.back());
    if (scratch.space != Space::arena || scratch.element != Element::f32) {
      fail(OC_BAD_FILE, "%s: scratch %s is no f32 of the arena", name_of(step.op),
           scratch.name.c_str());
    }
  }
  for (const Operand& o : step.outputs) {
    const Buffer& b = buffer(o);
    if (b.space == Space::input || b.space == Space::constant) {
      fail(OC_BAD_FILE, "%s writes into %s, which is read only", name_of(step.op), b.name.c_str());
    }
    const bool floats = b.element == Element::f32 || b.element == Element::f16;
    if (!floats && !any) fail(OC_BAD_FILE, "%s makes no floats", name_of(step.op));
  }
}

void check_range(const Step& step, size_t index, int64_t low, int64_t high) {
  const int64_t value = step.attributes[index].whole;
  if (value < low || value > high) {
    fail(OC_BAD_FILE, "%s: attribute %zu is %lld, expected %lld to %lld", name_of(step.op), index,
         static_cast<long long>(value), static_cast<long long>(low), static_cast<long long>(high));
  }
}

void check_attributes(const Step& step) {
  const Signature& s = kSignatures[static_cast<int>(step.op)];
  if (step.attributes.size() != std::strlen(s.attributes)) {
    fail(OC_BAD_FILE, "%s with %zu attributes", s.name, step.attributes.size());
  }
  for (size_t i = 0; i < step.attributes.size(); ++i) {
    constexpr char kLetters[] = {'i', 'f', 'e'};
    const Attribute& a = step.attributes[i];
    if (kLetters[static_cast<int>(a.kind)] != s.attributes[i] || !std::isfinite(a.real)) {
      fail(OC_BAD_FILE, "%s: attribute %zu has the wrong kind, or is not finite", s.name, i);
    }
  }
  switch (step.op) {
    case Op::linear: return check_range(step, 0, 0, 1);
    case Op::hadamard: return check_range(step, 0, 1, int64_t{1} << 30);
    case Op::attention:
    case Op::kv_attention: return check_range(step, 2, 0, int64_t{1} << 40);
    case Op::gated: return check_range(step, 0, 0, 5);
    case Op::unary: return check_range(step, 0, 0, 16);
    case Op::binary: return check_range(step, 0, 0, 6);
    case Op::softmax: return check_range(step, 0, 0, kMaxAxes - 1);
    case Op::route: check_range(step, 0, 1, int64_t{1} << 30); return check_range(step, 1, 0, 1);
    case Op::reduce:
      check_range(step, 0, 0, 2);
      return check_range(step, 1, 1, (1 << kMaxAxes) - 1);
    case Op::skip: return check_range(step, 0, 1, int64_t{1} << 30);
    default: return;
  }
}

Step read_step(Cursor& in, const Program& p, const Function& f) {
  Step step;
  const uint16_t op = in.u16();
  step.stage = in.u16();
  if (op < 1 || op >= kOps) fail(OC_BAD_VERSION, "a step with the op %d", op);
  if (step.stage >= p.stages.size()) fail(OC_BAD_FILE, "a step of stage %d", step.stage);
  step.op = static_cast<Op>(op);
  const uint32_t inputs = in.u32(), outputs = in.u32(), attributes = in.u32();
  const uint64_t bytes = (uint64_t{inputs} + outputs) * 5 + uint64_t{attributes} * 9;
  if (bytes > in.left()) fail(OC_BAD_FILE, "%s has more operands than the file", name_of(step.op));
  for (uint32_t i = 0; i < inputs; ++i) step.inputs.push_back(read_operand(in, p, f));
  for (uint32_t i = 0; i < outputs; ++i) step.outputs.push_back(read_operand(in, p, f));
  for (uint32_t i = 0; i < attributes; ++i) step.attributes.push_back(read_attribute(in, p));
  check_operands(&step);
  check_views(step, f);
  check_attributes(step);
  return step;
}

bool lies_in(const Operand& o, const Function& f, Space space) {
  return o.kind == OperandKind::view && f.buffers[f.views[o.index].buffer].space == space;
}

// What may be left out writes into the arena only, and ends with a product that may be zeros.
void check_skip(const Function& f, size_t skip) {
  const auto count = static_cast<uint64_t>(f.steps[skip].attributes[0].whole);
  if (count >= f.steps.size() - skip) {
    fail(OC_BAD_FILE, "%s, step %zu: a skip of %llu steps, %zu follow", f.name.c_str(), skip,
         static_cast<unsigned long long>(count), f.steps.size() - skip - 1);
  }
  for (size_t i = skip + 1; i <= skip + count; ++i) {
    const Step& step = f.steps[i];
    const bool caches = step.op == Op::kv_write || step.op == Op::kv_attention;
    bool good = !caches && step.op != Op::skip && (i < skip + count || step.op == Op::binary);
    for (const Operand& o : step.outputs) good = good && lies_in(o, f, Space::arena);
    if (good) continue;
    fail(OC_BAD_FILE, "%s, step %zu: a %s cannot be skipped there", f.name.c_str(), i,
         name_of(step.op));
  }
}

// Whether linear layers make all logits and nothing reads them:
// those that nobody asked for can be left out.
bool has_optional_head(const Function& f) {
  for (const Step& step : f.steps) {
    for (const Operand& o : step.inputs) {
      if (lies_in(o, f, Space::output)) return false;
    }
    for (const Operand& o : step.outputs) {
      const bool alone = step.op == Op::linear && step.outputs.size() == 1;
      if (lies_in(o, f, Space::output) && !alone) return false;
    }
  }
  return true;
}

}  // namespace

const char* name_of(Op op) { return kSignatures[static_cast<int>(op)].name; }

Function read_function(Cursor& in, const Program& p) {
  Function f;
  f.name = read_name(in);
  f.least = in.i64();
  f.greatest = in.i64();
  if (f.least < 1 || f.least > f.greatest || f.greatest > p.max_prefill) {
    fail(OC_BAD_FILE, "function %s takes %lld to %lld tokens, max_prefill is %lld", f.name.c_str(),
         static_cast<long long>(f.least), static_cast<long long>(f.greatest),
         static_cast<long long>(p.max_prefill));
  }
  f.arena = read_index(in, p.expressions.size(), "the arena");
  for (uint32_t n = in.count("buffers", 14); n > 0; --n) {
    f.buffers.push_back(read_buffer(in, p));
    check_buffer(f.buffers.back(), p);
  }
  for (uint32_t n = in.count("views", 9); n > 0; --n) f.views.push_back(read_view(in, p, f));
  for (uint32_t n = in.count("steps", 16); n > 0; --n) f.steps.push_back(read_step(in, p, f));
  for (size_t i = 0; i < f.steps.size(); ++i) {
    if (f.steps[i].op == Op::skip) check_skip(f, i);
  }
  f.optional_head = has_optional_head(f);
  return f;
}

}  // namespace optimum_compile
