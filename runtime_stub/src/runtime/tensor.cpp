#include "optimum_compile/runtime/tensor.h"

#include <utility>

#include "optimum_compile/bits.h"

namespace optimum_compile {
namespace {

// Axes first .. end - 1 as one.
Axis join(const Tensor& t, int first, int end) {
  Axis out;
  bool even = true;
  // From the fastest: each has to continue the one after it.
  for (int i = end - 1; i >= first; --i) {
    if (t.dims[i] == 1) continue;
    if (out.size == 1) out.stride = t.strides[i];
    even = even && t.strides[i] == out.stride * out.size;
    out.size *= t.dims[i];
  }
  if (even) return out;
  out.offsets.reserve(static_cast<size_t>(out.size));
  out.offsets.push_back(0);
  for (int i = first; i < end; ++i) {
    std::vector<int64_t> grown;
    grown.reserve(out.offsets.size() * static_cast<size_t>(t.dims[i]));
    for (const int64_t base : out.offsets) {
      for (int64_t j = 0; j < t.dims[i]; ++j) grown.push_back(base + j * t.strides[i]);
    }
    out.offsets = std::move(grown);
  }
  return out;
}

}  // namespace

bool same_dims(const Tensor& a, const Tensor& b) {
  if (a.rank != b.rank) return false;
  for (int i = 0; i < a.rank; ++i) {
    if (a.dims[i] != b.dims[i]) return false;
  }
  return true;
}

Tensor with_last(const Tensor& t, int axis) {
  Tensor out = t;
  std::swap(out.dims[axis], out.dims[t.rank - 1]);
  std::swap(out.strides[axis], out.strides[t.rank - 1]);
  return out;
}

void Walk::next() {
  for (int i = axes_ - 1; i >= 0; --i) {
    if (++at_[i] < t_.dims[i]) {
      offset_ += t_.strides[i];
      return;
    }
    at_[i] = 0;
    offset_ -= (t_.dims[i] - 1) * t_.strides[i];
  }
}

float read_at(const Tensor& t, int64_t offset) {
  if (t.element == Element::f16) {
    return half_to_float(reinterpret_cast<const uint16_t*>(t.data)[offset]);
  }
  return reinterpret_cast<const float*>(t.data)[offset];
}

void write_at(const Tensor& t, int64_t offset, float value) {
  if (t.element == Element::f16) {
    reinterpret_cast<uint16_t*>(t.data)[offset] = float_to_half(value);
  } else {
    reinterpret_cast<float*>(t.data)[offset] = value;
  }
}

const float* read_row(const Tensor& t, int64_t offset, float* room) {
  const int64_t n = t.last(), stride = t.rank == 0 ? 1 : t.strides[t.rank - 1];
  if (t.element == Element::f32) {
    const float* in = reinterpret_cast<const float*>(t.data) + offset;
    if (stride == 1 || n == 1) return in;
    for (int64_t i = 0; i < n; ++i) room[i] = in[i * stride];
    return room;
  }
  const uint16_t* in = reinterpret_cast<const uint16_t*>(t.data) + offset;
  for (int64_t i = 0; i < n; ++i) room[i] = half_to_float(in[i * stride]);
  return room;
}

float* row_place(const Tensor& t, int64_t offset, float* room) {
  const bool plain = t.element == Element::f32 && (t.last() == 1 || t.strides[t.rank - 1] == 1);
  return plain ? reinterpret_cast<float*>(t.data) + offset : room;
}

void write_row(const Tensor& t, int64_t offset, const float* row) {
  const int64_t n = t.last(), stride = t.rank == 0 ? 1 : t.strides[t.rank - 1];
  if (t.element == Element::f16) {
    uint16_t* out = reinterpret_cast<uint16_t*>(t.data) + offset;
    for (int64_t i = 0; i < n; ++i) out[i * stride] = float_to_half(row[i]);
    return;
  }
  float* out = reinterpret_cast<float*>(t.data) + offset;
  if (out == row) return;  // it was made in its place
  for (int64_t i = 0; i < n; ++i) out[i * stride] = row[i];
}

bool as_matrix(const Tensor& t, int64_t columns, Matrix* out) {
  int first = t.rank;
  int64_t inner = 1;
  while (first > 0 && inner < columns) inner *= t.dims[--first];
  if (inner != columns) return false;
  out->columns = join(t, first, t.rank);
  out->rows = join(t, 0, first);
  return true;
}

}  // namespace optimum_compile
