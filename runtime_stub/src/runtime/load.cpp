#include <algorithm>
#include <utility>

#include "optimum_compile/gpu/program.h"
#include "optimum_compile/outliers.h"
#include "optimum_compile/runtime/failure.h"
#include "optimum_compile/runtime/program.h"

namespace optimum_compile {
namespace {

constexpr int kStack = 64;
constexpr int64_t kRegionAlignment = 64;
// Of tokens and of the vocabulary: their product is a number
// of logits, and fits 64 bits with its bytes.
constexpr int64_t kMostTokens = int64_t{1} << 28;

void read_sizes(Cursor& in, Program* p) {
  p->vocabulary = in.i64();
  p->context = in.i64();
  p->max_prefill = in.i64();
  const bool good = p->vocabulary >= 1 && p->vocabulary <= kMostTokens &&
                    p->context <= kMostTokens && p->max_prefill >= 1 &&
                    p->max_prefill <= p->context;
  if (!good) {
    fail(OC_BAD_FILE,
         "vocabulary %lld, context %lld, max_prefill %lld: expected 1 <= max_prefill <= context",
         static_cast<long long>(p->vocabulary), static_cast<long long>(p->context),
         static_cast<long long>(p->max_prefill));
  }
}

void read_symbols(Cursor& in, Program* p) {
  const uint32_t n = in.count("symbols", 20);
  for (uint32_t i = 0; i < n; ++i) {
    Symbol s;
    s.name = read_name(in);
    s.low = in.i64();
    s.high = in.i64();
    if (s.low < 0 || s.low > s.high) fail(OC_BAD_FILE, "symbol %s has no values", s.name.c_str());
    uint32_t* const place = s.name == "seq" ? &p->seq : s.name == "past" ? &p->past : nullptr;
    // A caller can only say how many tokens there are, so nothing else can vary.
    if (place == nullptr && s.low != s.high) {
      fail(OC_BAD_VERSION, "symbol %s varies; this runtime knows seq and past", s.name.c_str());
    }
    if (place != nullptr && *place != kNone) fail(OC_BAD_FILE, "two symbols %s", s.name.c_str());
    if (place != nullptr) *place = i;
    p->symbols.push_back(std::move(s));
  }
  if (p->seq == kNone || p->past == kNone) fail(OC_BAD_FILE, "no symbol seq, or no symbol past");
}

bool is_leaf(ExprOp op) {
  return op == ExprOp::constant || op == ExprOp::symbol || op == ExprOp::ref;
}

ExprItem read_item(Cursor& in, size_t symbols, size_t before) {
  const uint8_t op = in.u8();
  const int64_t argument = in.i64();
  if (op > static_cast<uint8_t>(ExprOp::ref)) {
    fail(OC_BAD_VERSION, "an expression with the op %d", op);
  }
  const ExprItem item{static_cast<ExprOp>(op), argument};
  const auto outside = [&](size_t size) {
    return argument < 0 || static_cast<uint64_t>(argument) >= size;
  };
  if (item.op == ExprOp::symbol && outside(symbols)) {
    fail(OC_BAD_FILE, "an expression reads a symbol that is not there");
  }
  if (item.op == ExprOp::ref && outside(before)) {
    fail(OC_BAD_FILE, "an expression reads one that is not before it");
  }
  return item;
}

Guard read_guard(Cursor& in, const Program& p) {
  Guard g;
  g.expr = read_index(in, p.expressions.size(), "the expression of a guard");
  const uint8_t relation = in.u8();
  if (relation > static_cast<uint8_t>(Relation::divisible)) {
    fail(OC_BAD_VERSION, "a guard with the relation %d", relation);
  }
  g.relation = static_cast<Relation>(relation);
  g.argument = in.i64();
  if (g.relation == Relation::divisible && g.argument < 1) {
    fail(OC_BAD_FILE, "a guard divides by %lld", static_cast<long long>(g.argument));
  }
  g.text = read_name(in);
  return g;
}

Stage read_stage(Cursor& in) {
  static const std::pair<const char*, Precision> kKnown[] = {{"INT8", Precision::int8},
                                                             {"INT4", Precision::int4},
                                                             {"INT3", Precision::int3},
                                                             {"INT2", Precision::int2},
                                                             {"FP16", Precision::fp16}};
  Stage s;
  s.name = read_name(in);
  s.precision_name = read_name(in);
  for (const auto& [name, precision] : kKnown) {
    if (s.precision_name != name) continue;
    s.precision = precision;
    return s;
  }
  fail(OC_BAD_VERSION, "stage %s has the class %s", s.name.c_str(), s.precision_name.c_str());
}

Part read_part(Cursor& in, Bytes weights) {
  const uint64_t offset = in.u64(), bytes = in.u64();
  const uint8_t element = in.u8();
  if (element > static_cast<uint8_t>(Element::u8)) {
    fail(OC_BAD_VERSION, "a part of dtype %d", element);
  }
  if (offset > weights.size || bytes > weights.size - offset) {
    fail(OC_BAD_FILE, "a part at %llu does not lie inside the %zu bytes of weights",
         static_cast<unsigned long long>(offset), weights.size);
  }
  Part p{{weights.data + offset, static_cast<size_t>(bytes)}, static_cast<Element>(element)};
  if (offset % 64 != 0 || bytes % static_cast<uint64_t>(item_bytes(p.element)) != 0) {
    fail(OC_BAD_FILE, "a part at %llu is badly aligned, or no whole numbers",
         static_cast<unsigned long long>(offset));
  }
  return p;
}

Cache read_cache(Cursor& in, const Program& p) {
  Cache c;
  c.name = read_name(in);
  const uint8_t role = in.u8();
  if (role > 1) fail(OC_BAD_FILE, "cache %s has the role %d", c.name.c_str(), role);
  c.spec.role = static_cast<KvRole>(role);
  const int64_t bits = in.i64();
  c.spec.heads = in.i64();
  c.spec.context = in.i64();
  c.spec.width = in.i64();
  c.spec.group = in.i64();
  c.spec.window = in.i64();
  c.spec.sinks = in.i64();
  c.offset = in.i64();
  if (bits != 16 && bits != 8 && bits != 4 && bits != 2) {
    fail(OC_BAD_FILE, "cache %s of %lld bits", c.name.c_str(), static_cast<long long>(bits));
  }
  c.spec.bits = static_cast<int32_t>(bits);
  KvLayout layout;
  const Status status = kv_check(c.spec, &layout);
  if (status != Status::ok) fail(OC_BAD_FILE, "cache %s: %s", c.name.c_str(), message(status));
  c.bytes = layout.bytes;
  const bool placed = c.offset >= 0 && c.offset % kRegionAlignment == 0 && c.bytes <= kLimit &&
                      c.offset <= kLimit - c.bytes;
  if (!placed || c.spec.context != p.context) {
    fail(OC_BAD_FILE, "cache %s of %lld tokens at %lld", c.name.c_str(),
         static_cast<long long>(c.spec.context), static_cast<long long>(c.offset));
  }
  return c;
}

// Bytes of the arena of a role; its caches do not overlap.
int64_t arena_of(const Program& p, KvRole role) {
  std::vector<const Cache*> found;
  for (const Cache& c : p.caches) {
    if (c.spec.role == role) found.push_back(&c);
  }
  std::sort(found.begin(), found.end(),
            [](const Cache* a, const Cache* b) { return a->offset < b->offset; });
  int64_t end = 0;
  for (const Cache* c : found) {
    if (c->offset < end) fail(OC_BAD_FILE, "cache %s overlaps another one", c->name.c_str());
    end = c->offset + c->bytes;
  }
  return end;
}

}  // namespace

int64_t item_bytes(Element element) {
  constexpr int64_t kBytes[] = {4, 2, 8, 1};
  return kBytes[static_cast<int>(element)];
}

std::string read_name(Cursor& in) {
  const Bytes text = in.text();
  return std::string(reinterpret_cast<const char*>(text.data), text.size);
}

uint32_t read_index(Cursor& in, size_t size, const char* what) {
  const uint32_t index = in.u32();
  if (index >= size) fail(OC_BAD_FILE, "%s is %u, the table has %zu entries", what, index, size);
  return index;
}

Expression read_expression(Cursor& in, const Symbols& symbols,
                           const std::vector<Expression>& before, std::vector<ExprItem>* items) {
  Expression e;
  e.first = static_cast<uint32_t>(items->size());
  e.count = in.count("items of an expression", 9);
  int depth = 0;
  for (uint32_t i = 0; i < e.count; ++i) {
    const ExprItem item = read_item(in, symbols.count, before.size());
    if (!is_leaf(item.op) && depth < 2) {
      fail(OC_BAD_FILE, "an expression takes more values than it has");
    }
    depth += is_leaf(item.op) ? 1 : -1;
    if (depth > kStack) {
      fail(OC_BAD_FILE, "an expression needs more than %d values at once", kStack);
    }
    if (item.op == ExprOp::symbol) {
      e.uses_past = e.uses_past || item.argument == static_cast<int64_t>(symbols.past);
      e.uses_from = e.uses_from || item.argument == static_cast<int64_t>(symbols.from);
    }
    if (item.op == ExprOp::ref) {
      const Expression& read = before[static_cast<size_t>(item.argument)];
      e.uses_past = e.uses_past || read.uses_past;
      e.uses_from = e.uses_from || read.uses_from;
    }
    items->push_back(item);
  }
  if (depth != 1) fail(OC_BAD_FILE, "an expression leaves %d values", depth);
  return e;
}

void read_tables(Cursor& in, Bytes weights, Program* p) {
  read_sizes(in, p);
  read_symbols(in, p);
  const Symbols symbols{p->symbols.size(), p->past, kNone};
  for (uint32_t n = in.count("expressions", 4); n > 0; --n) {
    p->expressions.push_back(read_expression(in, symbols, p->expressions, &p->items));
  }
  for (uint32_t n = in.count("guards", 17); n > 0; --n) p->guards.push_back(read_guard(in, *p));
  for (uint32_t n = in.count("stages", 8); n > 0; --n) p->stages.push_back(read_stage(in));
  for (uint32_t n = in.count("parts", 17); n > 0; --n) p->parts.push_back(read_part(in, weights));
  for (uint32_t n = in.count("weights", 29); n > 0; --n) p->weights.push_back(read_weight(in, *p));
  for (uint32_t n = in.count("caches", 69); n > 0; --n) p->caches.push_back(read_cache(in, *p));
  for (const Weight& w : p->weights) {
    if (w.kind != WeightKind::nested) continue;
    const int64_t least = w.nested.seed_bits, greatest = w.nested.bits;
    p->least_width = p->least_width == 0 ? least : std::min(p->least_width, least);
    p->greatest_width = std::max(p->greatest_width, greatest);
  }
  p->key_bytes = arena_of(*p, KvRole::keys);
  p->value_bytes = arena_of(*p, KvRole::values);
}

std::shared_ptr<const Program> load(std::shared_ptr<const Mapping> mapping, bool verify_weights) {
  const Container file = open_container({mapping->data(), mapping->size()}, verify_weights);
  auto program = std::make_shared<Program>();
  program->mapping = std::move(mapping);
  program->metadata = file.metadata;
  program->weight_bytes = static_cast<int64_t>(file.weights.size);
  Cursor in(file.program);
  read_tables(in, file.weights, program.get());
  for (uint32_t n = in.count("functions", 36); n > 0; --n) {
    program->functions.push_back(read_function(in, *program));
  }
  if (program->functions.empty()) fail(OC_BAD_FILE, "a program without functions");
  if (in.left() != 0) fail(OC_BAD_FILE, "%zu bytes are left over behind PROGRAM", in.left());
  if (file.gpu.data != nullptr) gpu::read_section(file.gpu, program.get());
  return program;
}

}  // namespace optimum_compile
