#include "optimum_compile/gpu/numbers.h"

#include <algorithm>
#include <utility>

#include "optimum_compile/runtime/failure.h"

namespace optimum_compile::gpu {
namespace {

constexpr int64_t kMost = int64_t{1} << 46;

}  // namespace

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

const GpuProgram& section_of(const Program& program) {
  if (program.gpu_version == 0) {
    fail(OC_NO_DEVICE, "the file has no section for a GPU: compile it with --target gpu");
  }
  if (program.gpu == nullptr) {
    fail(OC_BAD_VERSION,
         "the section GPU has version %u; this runtime reads version %u: compile the model again",
         program.gpu_version, kSectionVersion);
  }
  return *program.gpu;
}

std::vector<const KernelEntry*> kernels_of(const GpuProgram& section, const KernelTable& table) {
  std::vector<const KernelEntry*> out;
  for (const NamedKernel& named : section.kernels) {
    const KernelEntry* found = table.find(named.name);
    if (found == nullptr) {
      fail(OC_BAD_VERSION, "this runtime has no kernel %s", named.name.c_str());
    }
    if (found->crc != named.crc) {
      fail(OC_BAD_VERSION, "kernel %s of this runtime has another interface than the file expects",
           named.name.c_str());
    }
    out.push_back(found);
  }
  return out;
}

void check_dispatch(const Program& program, const KernelEntry& k, const Dispatch& d, uint64_t most) {
  const char* name = k.name.c_str();
  if (d.buffers.size() != k.buffers || d.params.size() != k.params) {
    fail(OC_BAD_FILE, "kernel %s is given %zu buffers and %zu params; it has %u and %u", name,
         d.buffers.size(), d.params.size(), k.buffers, k.params);
  }
  for (size_t i = 0; i < d.buffers.size(); ++i) {
    const Bound& b = d.buffers[i];
    const bool part = b.kind == BoundKind::part;
    if ((k.written >> i & 1u) != 0 && (part || b.kind == BoundKind::tokens)) {
      fail(OC_BAD_FILE, "kernel %s would write into what is only read", name);
    }
    const uint64_t bytes = part ? b.bytes
                           : b.kind == BoundKind::cache
                               ? static_cast<uint64_t>(program.caches[b.index].bytes)
                               : 0;
    if (bytes > most) {
      fail(OC_NO_DEVICE, "kernel %s reads a buffer of %llu bytes; the device shows it %llu", name,
           static_cast<unsigned long long>(bytes), static_cast<unsigned long long>(most));
    }
  }
}

void check_constant_list(const KernelEntry& kernel, const uint32_t* constants, size_t count) {
  const char* name = kernel.name.c_str();
  if (count != kernel.constants) {
    fail(OC_BAD_FILE, "kernel %s: %zu constants, it has %u", name, count, kernel.constants);
  }
  const uint32_t size = constants[0];
  if (size < 32 || size > 256 || (size & (size - 1)) != 0) {
    fail(OC_BAD_FILE, "kernel %s: a workgroup of %u; it is a power of two, 32 to 256", name, size);
  }
}

int64_t arena_bytes(const Program& p, const Function& f, Numbers* numbers, int64_t seq,
                    int64_t past) {
  int64_t later = 0;
  if (p.expressions[f.arena].uses_past && past < p.context - seq) {
    try {
      numbers->set(seq, p.context - seq);
      later = numbers->at(f.arena);
    } catch (const Failure&) {
      later = 0;  // nothing that can be run then
    }
  }
  numbers->set(seq, past);
  const int64_t bytes = std::max(numbers->at(f.arena), later);
  if (bytes < 0 || bytes > kMost) {
    fail(OC_BAD_CALL, "function %s asks for an arena of %lld bytes", f.name.c_str(),
         static_cast<long long>(bytes));
  }
  return bytes;
}

uint32_t list_at(const Program& p, const GpuFunction& f, int64_t width) {
  return f.list_of[width == 0 ? 0 : static_cast<size_t>(width - p.least_width + 1)];
}

int64_t weight_bytes(const Program& p, const Function& f, int64_t seq, bool logits, int64_t width) {
  int64_t out = 0;
  for (const Step& step : f.steps) {
    const bool makes = !step.outputs.empty() && step.outputs[0].kind == OperandKind::view &&
                       f.buffers[f.views[step.outputs[0].index].buffer].space == Space::output;
    if (makes && !logits) continue;
    for (const Operand& o : step.inputs) {
      if (o.kind != OperandKind::weight) continue;
      const Weight& w = p.weights[o.index];
      const bool rows = step.op == Op::embedding || step.op == Op::rope;
      const int64_t bytes = w.bytes_at(width);
      out += rows ? seq * (bytes / w.rows) : bytes;
    }
  }
  return out;
}

}  // namespace optimum_compile::gpu
