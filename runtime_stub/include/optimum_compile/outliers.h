// The sparse part of a packed matrix, and what its parts have in common with the dense one.
#ifndef OPTIMUM_COMPILE_OUTLIERS_H
#define OPTIMUM_COMPILE_OUTLIERS_H

#include <cstdint>
#include <vector>

#include "optimum_compile/low_bit.h"

namespace optimum_compile {

constexpr int64_t kLimit = int64_t{1} << 46;

// a * b, if it is at most `limit`.
inline bool product(int64_t a, int64_t b, int64_t limit, int64_t* out) {
  if (a < 0 || b < 0 || (b != 0 && a > limit / b)) return false;
  *out = a * b;
  return true;
}

// Scales in a row.
inline int64_t groups_of(const PackedMatrix& m) {
  return m.group < 1 ? 0 : m.columns / m.group + (m.columns % m.group != 0);
}

// Whether counts, places and second scales have their sizes.
Status check_outliers(const PackedMatrix& m);

// The first outlier of each row, and one past the last: rows + 1 numbers, none without outliers.
Status find_starts(const PackedMatrix& m, std::vector<uint64_t>* starts);

// Put the outliers of a row in their places, `first` and what follows; false where one lies outside.
// `codes` and `out` (columns) are those of the dense row.
bool place_outliers(const PackedMatrix& m, int64_t row, uint64_t first, const uint8_t* codes,
                    float* out);

}  // namespace optimum_compile

#endif
