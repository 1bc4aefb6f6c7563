#include <algorithm>

#include "optimum_compile/runtime/failure.h"
#include "optimum_compile/runtime/frame.h"

namespace optimum_compile {
namespace {

// Division that rounds down; the divisor is positive.
int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

bool combine(ExprOp op, int64_t a, int64_t b, int64_t* out) {
  switch (op) {
    case ExprOp::add: return !__builtin_add_overflow(a, b, out);
    case ExprOp::sub: return !__builtin_sub_overflow(a, b, out);
    case ExprOp::mul: return !__builtin_mul_overflow(a, b, out);
    case ExprOp::floordiv:
      if (b < 1) return false;
      *out = floor_divide(a, b);
      return true;
    case ExprOp::max: *out = std::max(a, b); return true;
    case ExprOp::min: *out = std::min(a, b); return true;
    default: return false;
  }
}

bool holds(const Guard& guard, int64_t value) {
  switch (guard.relation) {
    case Relation::zero: return value == 0;
    case Relation::not_negative: return value >= 0;
    case Relation::divisible: return value % guard.argument == 0;
  }
  return false;
}

}  // namespace

bool evaluate(const std::vector<ExprItem>& items, const Expression& e,
              const std::vector<int64_t>& symbols, const std::vector<int64_t>& values,
              const std::vector<bool>& known, int64_t* out) {
  int64_t stack[64];  // the reader has checked the depth
  int depth = 0;
  for (uint32_t i = e.first; i < e.first + e.count; ++i) {
    const ExprItem& item = items[i];
    const size_t index = static_cast<size_t>(item.argument);
    if (item.op == ExprOp::constant) {
      stack[depth++] = item.argument;
    } else if (item.op == ExprOp::symbol) {
      stack[depth++] = symbols[index];
    } else if (item.op == ExprOp::ref) {
      if (!known[index]) return false;
      stack[depth++] = values[index];
    } else {
      --depth;
      if (!combine(item.op, stack[depth - 1], stack[depth], &stack[depth - 1])) return false;
    }
  }
  *out = stack[0];
  return true;
}

Numbers::Numbers(const Program& program)
    : program_(program), values_(program.expressions.size()), known_(program.expressions.size()) {
  for (const Symbol& symbol : program.symbols) symbols_.push_back(symbol.low);
}

void Numbers::set(int64_t seq, int64_t past) {
  symbols_[program_.seq] = seq;
  symbols_[program_.past] = past;
  for (size_t i = 0; i < symbols_.size(); ++i) {
    const Symbol& s = program_.symbols[i];
    if (symbols_[i] >= s.low && symbols_[i] <= s.high) continue;
    fail(OC_BAD_CALL, "%s is %lld; the program takes %lld to %lld", s.name.c_str(),
         static_cast<long long>(symbols_[i]), static_cast<long long>(s.low),
         static_cast<long long>(s.high));
  }
  kept_ = seq == seq_;
  seq_ = seq;
  for (size_t i = 0; i < values_.size(); ++i) {
    const Expression& e = program_.expressions[i];
    if (kept_ && !e.uses_past) continue;
    known_[i] = evaluate(program_.items, e, symbols_, values_, known_, &values_[i]);
  }
  check_guards();
}

int64_t Numbers::at(uint32_t expr) const {
  if (!known_[expr]) {
    fail(OC_BAD_CALL, "expression %u leaves 64 bits, or divides by less than 1, for %lld tokens",
         expr, static_cast<long long>(seq_));
  }
  return values_[expr];
}

void Numbers::check_guards() const {
  for (const Guard& guard : program_.guards) {
    const int64_t value = at(guard.expr);
    if (holds(guard, value)) continue;
    fail(OC_BAD_CALL, "a guard does not hold for %lld tokens behind %lld: %s (it is %lld)",
         static_cast<long long>(seq_), static_cast<long long>(symbols_[program_.past]),
         guard.text.c_str(), static_cast<long long>(value));
  }
}

}  // namespace optimum_compile
