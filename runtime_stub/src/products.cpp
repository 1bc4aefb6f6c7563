#include "optimum_compile/products.h"

#include <algorithm>
#include <cstring>

namespace optimum_compile {
namespace {

constexpr int64_t kRowsAtOnce = 4;  // decoded rows that share each read of x

// n floats of a room at a multiple of 64 bytes: registers that lie across two lines of the cache are read twice.
float* aligned(std::vector<float>& room, int64_t n) {
  const size_t needed = static_cast<size_t>(n) + 16;
  if (room.size() < needed) room.resize(needed);
  const size_t past = reinterpret_cast<uintptr_t>(room.data()) % 64;
  return room.data() + (past == 0 ? 0 : (64 - past) / sizeof(float));
}

// Decoded rows times all vectors.
void multiply_decoded(const float* w, int64_t w_stride, int64_t rows, const Arranged& x, float* out,
                      int64_t stride) {
  const SimdSet* const set = simd();
  if (set != nullptr) {
    return set->block(w, w_stride, rows, x.at(0), x.stride(), x.count(), x.size(), out, stride);
  }
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t t = 0; t < x.count(); ++t) out[t * stride + r] = dot(x.at(t), w + r * w_stride, x.size());
  }
}

// Rows that are read in plain code.
bool multiply_read(RowReader& reader, const Arranged& x, int64_t begin, int64_t end, float* out,
                   int64_t stride, std::vector<float>& room) {
  if (x.count() == 1) {
    for (int64_t row = begin; row < end; ++row) {
      const float* const w = reader.read(row);
      if (w == nullptr) return false;
      multiply_decoded(w, 0, 1, x, out + (row - begin), stride);
    }
    return true;
  }
  const int64_t size = x.size();
  float* const decoded = aligned(room, kRowsAtOnce * size);
  for (int64_t row = begin; row < end; row += kRowsAtOnce) {
    const int64_t rows = std::min(kRowsAtOnce, end - row);
    for (int64_t r = 0; r < rows; ++r) {
      const float* const w = reader.read(row + r);
      if (w == nullptr) return false;
      std::memcpy(decoded + r * size, w, static_cast<size_t>(size) * sizeof(float));
    }
    multiply_decoded(decoded, size, rows, x, out + (row - begin), stride);
  }
  return true;
}

}  // namespace

const FusedKernel* kernel_for(RowKind kind, int64_t columns) {
  const SimdSet* const set = simd();
  if (set == nullptr) return nullptr;
  const FusedKernel& kernel = set->kernels[static_cast<int>(kind)];
  return kernel.dot != nullptr && columns % kernel.multiple == 0 ? &kernel : nullptr;
}

Arranged::Arranged(const FusedKernel* kernel, const float* x, int64_t stride, int64_t count, int64_t columns,
                   std::vector<float>& room)
    : x_(x), stride_(stride), count_(count), size_(columns) {
  if (kernel == nullptr || kernel->block == 0) return;
  size_ = stride_ = (columns + kernel->block - 1) / kernel->block * kernel->block;
  float* const own = aligned(room, count * size_);
  for (int64_t t = 0; t < count; ++t) kernel->arrange(x + t * stride, columns, own + t * size_);
  x_ = own;
}

bool multiply_rows(RowReader& reader, const Arranged& x, int64_t begin, int64_t end, float* out,
                   int64_t stride, std::vector<float>& room) {
  const FusedKernel* const kernel = reader.kernel();
  if (kernel == nullptr) return multiply_read(reader, x, begin, end, out, stride, room);
  if (x.count() == 1) {
    for (int64_t row = begin; row < end; ++row) {
      out[row - begin] = kernel->dot(reader.see(row), x.at(0));
    }
    return true;
  }
  float* const decoded = aligned(room, kRowsAtOnce * x.size());
  for (int64_t row = begin; row < end; row += kRowsAtOnce) {
    const int64_t rows = std::min(kRowsAtOnce, end - row);
    for (int64_t r = 0; r < rows; ++r) kernel->decode(reader.see(row + r), decoded + r * x.size());
    multiply_decoded(decoded, x.size(), rows, x, out + (row - begin), stride);
  }
  return true;
}

Status multiply(RowReader& reader, int64_t rows, int64_t columns, const float* x, int64_t count, float* out) {
  if (count < 0) return Status::bad_shape;
  if (count == 0 || rows == 0) return Status::ok;
  std::vector<float> room, decoded;
  const Arranged arranged(reader.kernel(), x, columns, count, columns, room);
  return multiply_rows(reader, arranged, 0, rows, out, rows, decoded) ? Status::ok : Status::bad_index;
}

}  // namespace optimum_compile
