// Work on one row of a matrix that every kind of weight shares.
#ifndef OPTIMUM_COMPILE_ROWS_H
#define OPTIMUM_COMPILE_ROWS_H

#include <cstdint>

#include "optimum_compile/simd/simd.h"

// Clones are chosen before the thread sanitizer has started, which it does not survive.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__linux__) && \
    !defined(__SANITIZE_THREAD__)
#define OC_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define OC_CLONES
#endif

// No other pointer reaches what this one does: bytes may alias anything otherwise.
#define OC_ALONE __restrict

namespace optimum_compile {

// out (n) = table[codes (n)].
void from_table(const float* table, const uint8_t* codes, int64_t n, float* out);

// The same for tables of four and of eight entries.
void from_table4(const float* table, const uint8_t* codes, int64_t n, float* out);
void from_table8(const float* table, const uint8_t* codes, int64_t n, float* out);

// The sum of a[i] * b[i].
float dot(const float* a, const float* b, int64_t n);

// Fp16 numbers as float32.
void widen(const uint16_t* in, int64_t n, float* out);

// Asks memory for what lies 2 KiB behind a row's `bytes` at `row`, as far as the `behind` bytes from there to the
// end of the matrix go. Hardware looks ahead inside of a page only, and with pages of 4 KiB a model that no cache holds
// would wait at each: rows read from memory are multiplied twice as fast with it.
inline void fetch_ahead(const void* row, int64_t bytes, int64_t behind) {
  constexpr int64_t kAhead = 2048, kLine = 64;
  const char* const at = static_cast<const char*>(row) + kAhead;
  for (int64_t i = 0; i < bytes && i < behind - kAhead; i += kLine) __builtin_prefetch(at + i);
}

// Rows of one matrix, one after another. It keeps room for one row; the matrix has to stay.
class RowReader {
 public:
  virtual ~RowReader() = default;
  // Row `row` of the matrix, which has it; valid until the next call. Null where its outliers lie outside.
  virtual const float* read(int64_t row) = 0;
  // What multiplies a row of this matrix as it lies; null where rows have to be read.
  virtual const FusedKernel* kernel() const { return nullptr; }
  // A row for the kernel, valid until the next call.
  virtual const FusedRow& see(int64_t row);
};

// The kernel for rows of a kind whose columns it can take; null where there is none.
const FusedKernel* kernel_for(RowKind kind, int64_t columns);

}  // namespace optimum_compile

#endif
