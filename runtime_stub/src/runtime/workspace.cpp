#include "optimum_compile/runtime/failure.h"
#include "optimum_compile/runtime/kernels.h"

namespace optimum_compile {
namespace {

class FloatRows : public RowReader {
 public:
  explicit FloatRows(const Weight& w) : w_(w) {}
  const float* read(int64_t row) override { return w_.floats + row * w_.columns; }

 private:
  const Weight& w_;
};

Status open_weight(const Weight& w, int64_t width, std::unique_ptr<RowReader>* out) {
  switch (w.kind) {
    case WeightKind::f32: *out = std::make_unique<FloatRows>(w); return Status::ok;
    case WeightKind::f16: open_halves(w.halves, w.rows, w.columns, out); return Status::ok;
    case WeightKind::affine:
    case WeightKind::lut:
    case WeightKind::e0m4: return open_rows(w.packed, out);
    case WeightKind::nested: return open_rows(w.nested, w.width_at(width), out);
    case WeightKind::vectors: return open_rows(w.vectors, out);
  }
  return Status::bad_parts;
}

KernelSet make_set() {
  KernelSet set;
  const auto put = [&](Op op, Kernel kernel) { set.of[static_cast<int>(op)] = kernel; };
  put(Op::embedding, embedding);
  put(Op::linear, linear);
  put(Op::rms_norm, rms_norm);
  put(Op::layer_norm, layer_norm);
  put(Op::add_rms_norm, add_rms_norm);
  put(Op::hadamard, hadamard);
  put(Op::rope, rope);
  put(Op::kv_write, store_kv);
  put(Op::attention, attend);
  put(Op::kv_attention, store_and_attend);
  put(Op::gated, gated);
  put(Op::unary, unary);
  put(Op::binary, binary);
  put(Op::softmax, softmax);
  put(Op::route, route);
  put(Op::copy, copy);
  put(Op::reduce, reduce);
  return set;
}

}  // namespace

Workspace::Workspace(const Program& program, uint8_t* keys, uint8_t* values)
    : program_(program), keys_(keys), values_(values) {}

RowReader& Workspace::rows(uint32_t weight, int worker) {
  Reader& reader = readers_[static_cast<size_t>(worker)];
  if (reader.rows != nullptr && reader.of == weight) return *reader.rows;
  const Weight& w = program_.weights[weight];
  reader.rows.reset();
  const Status status = open_weight(w, width_, &reader.rows);
  if (status != Status::ok) fail(OC_BAD_FILE, "weight %s: %s", w.name.c_str(), message(status));
  reader.of = weight;
  return *reader.rows;
}

void Workspace::set_width(int64_t bits) {
  width_ = bits;
  for (Reader& reader : readers_) reader.of = kNone;  // it may be one of a nested weight
}

void Workspace::set_threads(int count) {
  workers_.set_count(count);
  readers_.resize(static_cast<size_t>(count));
}

const float* Workspace::vector(uint32_t weight, int64_t size, int number) {
  const Weight& w = program_.weights[weight];
  const bool plain = w.kind == WeightKind::f32 || w.kind == WeightKind::f16;
  if (!plain || w.rows != 1 || w.columns != size) {
    fail(OC_BAD_CALL, "weight %s is no row of %lld floats", w.name.c_str(),
         static_cast<long long>(size));
  }
  weight_bytes += w.bytes;
  if (w.kind == WeightKind::f32) return w.floats;
  float* out = room(number, size);
  widen(w.halves, size, out);
  return out;
}

KvCache Workspace::cache(uint32_t index) const {
  const Cache& c = program_.caches[index];
  uint8_t* const base = c.spec.role == KvRole::keys ? keys_ : values_;
  return {c.spec, base + c.offset, static_cast<size_t>(c.bytes)};
}

float* Workspace::room(int number, int64_t n) {
  std::vector<float>& room = rooms_[number];
  if (room.size() < static_cast<size_t>(n)) room.resize(static_cast<size_t>(n));
  return room.data();
}

void StepCall::need(bool condition, const char* what) const {
  if (!condition) fail(OC_BAD_CALL, "%s: %s", name_of(step.op), what);
}

const KernelSet& kernels_of(Precision) {
  // One set serves all: the reader of a weight knows what multiplies its rows.
  static const KernelSet set = make_set();
  return set;
}

}  // namespace optimum_compile
