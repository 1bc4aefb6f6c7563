#include <utility>

#include "optimum_compile/gpu/model.h"
#include "optimum_compile/runtime/failure.h"
#include "optimum_compile/runtime/frame.h"

#ifdef OC_VULKAN

namespace optimum_compile::gpu {

GpuNumbers::GpuNumbers(std::shared_ptr<const Program> program)
    : program_(std::move(program)),
      gpu_(*program_->gpu),
      values_(gpu_.expressions.size()),
      known_(gpu_.expressions.size()) {
  for (const Symbol& symbol : program_->symbols) symbols_.push_back(symbol.low);
  symbols_.push_back(0);
}

void GpuNumbers::set(int64_t seq, int64_t past, int64_t first) {
  const bool same = set_ && symbols_[program_->seq] == seq && symbols_.back() == first;
  symbols_[program_->seq] = seq;
  symbols_[program_->past] = past;
  symbols_.back() = first;
  for (size_t i = 0; i < values_.size(); ++i) {
    const Expression& e = gpu_.expressions[i];
    if (same && !e.uses_past) continue;
    known_[i] = evaluate(gpu_.items, e, symbols_, values_, known_, &values_[i]);
  }
  set_ = true;
}

uint32_t GpuNumbers::word(uint32_t expr) const {
  const int64_t value = known_[expr] ? values_[expr] : INT64_MAX;
  if (value < INT32_MIN || value > static_cast<int64_t>(UINT32_MAX)) {
    fail(OC_BAD_CALL, "expression %u of the section GPU leaves 32 bits for %lld tokens behind %lld",
         expr, static_cast<long long>(symbols_[program_->seq]),
         static_cast<long long>(symbols_[program_->past]));
  }
  return static_cast<uint32_t>(value);
}

}  // namespace optimum_compile::gpu

#endif
