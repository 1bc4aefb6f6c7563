#include "optimum_compile/rows.h"

#include "optimum_compile/bits.h"

namespace optimum_compile {

OC_CLONES void from_table(const float* table, const uint8_t* codes, int64_t n, float* out) {
  for (int64_t i = 0; i < n; ++i) out[i] = table[codes[i]];
}

// Small tables as selects, a level for each bit of the code: they vectorise better than a gather.
OC_CLONES void from_table4(const float* table, const uint8_t* codes, int64_t n, float* out) {
  const float t0 = table[0], t1 = table[1], t2 = table[2], t3 = table[3];
  for (int64_t i = 0; i < n; ++i) {
    const float low = (codes[i] & 1u) ? t1 : t0;
    const float high = (codes[i] & 1u) ? t3 : t2;
    out[i] = (codes[i] & 2u) ? high : low;
  }
}

OC_CLONES void from_table8(const float* table, const uint8_t* codes, int64_t n, float* out) {
  const float t0 = table[0], t1 = table[1], t2 = table[2], t3 = table[3];
  const float t4 = table[4], t5 = table[5], t6 = table[6], t7 = table[7];
  for (int64_t i = 0; i < n; ++i) {
    const bool odd = (codes[i] & 1u) != 0, second = (codes[i] & 2u) != 0;
    const float a = odd ? t1 : t0, b = odd ? t3 : t2, c = odd ? t5 : t4, d = odd ? t7 : t6;
    const float low = second ? b : a, high = second ? d : c;
    out[i] = (codes[i] & 4u) ? high : low;
  }
}

OC_CLONES float dot(const float* a, const float* b, int64_t n) {
  // 32 independent sums: without them float addition, which is not associative, stays scalar.
  float sums[32] = {0};
  int64_t i = 0;
  for (; i + 32 <= n; i += 32) {
    for (int j = 0; j < 32; ++j) sums[j] += a[i + j] * b[i + j];
  }
  float total = 0;
  for (int j = 0; j < 32; ++j) total += sums[j];
  for (; i < n; ++i) total += a[i] * b[i];
  return total;
}

OC_CLONES void widen(const uint16_t* in, int64_t n, float* out) {
  for (int64_t i = 0; i < n; ++i) out[i] = half_to_float(in[i]);
}

const FusedRow& RowReader::see(int64_t) {
  static const FusedRow none;
  return none;
}

}  // namespace optimum_compile
