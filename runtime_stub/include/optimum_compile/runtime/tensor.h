// Views with numbers in place of expressions, and how kernels walk over them.
#ifndef OPTIMUM_COMPILE_RUNTIME_TENSOR_H
#define OPTIMUM_COMPILE_RUNTIME_TENSOR_H

#include <cstdint>
#include <vector>

#include "optimum_compile/runtime/program.h"

namespace optimum_compile {

// A view of this call. Its whole extent lies in memory that
// its buffer owns; every dimension is 1 or more.
struct Tensor {
  uint8_t* data = nullptr;  // of its first element; what is read only is never an output
  Element element = Element::f32;
  Space space = Space::arena;
  int rank = 0;
  int64_t dims[kMaxAxes] = {};
  int64_t strides[kMaxAxes] = {};  // in elements
  int64_t elements = 0;
  int64_t start = 0;  // number of its first element in the buffer
  // Elements from `data` to the first one, not 0 only for logits of which the first have no memory.
  int64_t shift = 0;
  bool repeats = false;  // may name an element twice

  int64_t last() const { return rank == 0 ? 1 : dims[rank - 1]; }
  int64_t rows() const { return elements / last(); }
  int64_t bytes() const { return elements * item_bytes(element); }
  bool is_cache() const { return space == Space::keys || space == Space::values; }
};

bool same_dims(const Tensor& a, const Tensor& b);

// The same view with axis `axis` in the last place.
Tensor with_last(const Tensor& t, int axis);

// Offsets, in elements, of the rows of a tensor: all its axes but the last, or the first `axes`;
// the last of those is the fastest. The tensor has to stay.
class Walk {
 public:
  explicit Walk(const Tensor& t) : Walk(t, t.rank - 1) {}
  Walk(const Tensor& t, int axes) : t_(t), axes_(axes) {}
  int64_t offset() const { return offset_; }
  void next();

 private:
  const Tensor& t_;
  const int axes_;
  int64_t at_[kMaxAxes] = {};
  int64_t offset_ = 0;
};

// One row as float32: where it lies if it can be read there, else gathered into `room` (last()).
const float* read_row(const Tensor& t, int64_t offset, float* room);

// Where to make a row: in its place if that is plain float32,
// else in `room`, for `write_row` to store.
float* row_place(const Tensor& t, int64_t offset, float* room);
void write_row(const Tensor& t, int64_t offset, const float* row);

// One number as float32, `offset` in elements.
float read_at(const Tensor& t, int64_t offset);
void write_at(const Tensor& t, int64_t offset, float value);

// Some axes as one: the offset of each place along them.
struct Axis {
  int64_t size = 1;
  int64_t stride = 0;  // where one stride does, else
  std::vector<int64_t> offsets;
  int64_t at(int64_t i) const {
    return offsets.empty() ? i * stride : offsets[static_cast<size_t>(i)];
  }
};

// A tensor as a matrix (rows, columns): leading axes make the rows, the others the columns.
struct Matrix {
  Axis rows, columns;
};
bool as_matrix(const Tensor& t, int64_t columns, Matrix* out);

}  // namespace optimum_compile

#endif
