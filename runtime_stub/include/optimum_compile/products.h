// Products of rows of any matrix with vectors: in fused kernels where there are some, else row by row.
#ifndef OPTIMUM_COMPILE_PRODUCTS_H
#define OPTIMUM_COMPILE_PRODUCTS_H

#include <cstdint>
#include <vector>

#include "optimum_compile/low_bit.h"
#include "optimum_compile/rows.h"

namespace optimum_compile {

// Some vectors in the order in which the kernel of a matrix takes them. Threads may share it.
class Arranged {
 public:
  // x (count, columns), rows `stride` floats apart, which has to stay. `room` keeps copies.
  Arranged(const FusedKernel* kernel, const float* x, int64_t stride, int64_t count, int64_t columns,
           std::vector<float>& room);

  const float* at(int64_t t) const { return x_ + t * stride_; }
  int64_t stride() const { return stride_; }
  int64_t count() const { return count_; }
  int64_t size() const { return size_; }  // numbers of a vector, those that fill its last block included

 private:
  const float* x_;
  int64_t stride_, count_, size_;
};

// out[t * stride + row - begin] = the product of row `row` and vector t, for begin <= row < end. Every product is
// the same number whatever rows it is made with. False where an outlier of a row lies outside of it. `room` is
// for decoded rows.
bool multiply_rows(RowReader& reader, const Arranged& x, int64_t begin, int64_t end, float* out, int64_t stride,
                   std::vector<float>& room);

// The product with the whole matrix: out (count, rows).
Status multiply(RowReader& reader, int64_t rows, int64_t columns, const float* x, int64_t count, float* out);

}  // namespace optimum_compile

#endif
