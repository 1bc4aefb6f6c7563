#include "optimum_compile/low_bit.h"

#include <cstring>
#include <vector>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__linux__)
#define OC_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define OC_CLONES
#endif

namespace optimum_compile {
namespace {

float half_to_float(uint16_t h) {
  const uint32_t sign = static_cast<uint32_t>(h & 0x8000u) << 16;
  const uint32_t magnitude = h & 0x7fffu;
  uint32_t bits;
  if (magnitude >= 0x7c00u) {  // infinity, NaN
    bits = sign | 0x7f800000u | ((magnitude & 0x3ffu) << 13);
  } else if (magnitude >= 0x0400u) {
    bits = sign | ((magnitude << 13) + 0x38000000u);
  } else {  // zero, subnormal: the integer times 2^-24 is exact
    const float value = static_cast<float>(magnitude) * 5.9604644775390625e-08f;
    std::memcpy(&bits, &value, 4);
    bits |= sign;
  }
  float out;
  std::memcpy(&out, &bits, 4);
  return out;
}

bool product(int64_t a, int64_t b, int64_t limit, int64_t* out) {
  if (a < 0 || b < 0 || (b != 0 && a > limit / b)) return false;
  *out = a * b;
  return true;
}

// Codes of one row, one byte each, into `out` (columns).
OC_CLONES void unpack2(const uint8_t* in, int64_t bytes, uint8_t* out) {
  for (int64_t i = 0; i < bytes; ++i) {
    const uint8_t b = in[i];
    out[4 * i] = b & 3u;
    out[4 * i + 1] = (b >> 2) & 3u;
    out[4 * i + 2] = (b >> 4) & 3u;
    out[4 * i + 3] = b >> 6;
  }
}

OC_CLONES void unpack4(const uint8_t* in, int64_t bytes, uint8_t* out) {
  for (int64_t i = 0; i < bytes; ++i) {
    out[2 * i] = in[i] & 15u;
    out[2 * i + 1] = in[i] >> 4;
  }
}

void unpack_any(const PackedMatrix& m, int64_t row, uint8_t* out) {
  uint64_t bit = static_cast<uint64_t>(row) * static_cast<uint64_t>(m.columns) * m.bits;
  const uint32_t mask = (1u << m.bits) - 1u;
  for (int64_t c = 0; c < m.columns; ++c, bit += m.bits) {
    const size_t byte = bit >> 3;
    uint32_t window = m.codes[byte];
    if (byte + 1 < m.code_bytes) window |= static_cast<uint32_t>(m.codes[byte + 1]) << 8;
    out[c] = static_cast<uint8_t>((window >> (bit & 7)) & mask);
  }
}

void unpack_row(const PackedMatrix& m, int64_t row, uint8_t* out) {
  const int64_t row_bits = m.columns * m.bits;
  if (row_bits % 8 != 0) return unpack_any(m, row, out);
  const uint8_t* in = m.codes + row * (row_bits / 8);
  if (m.bits == 2) return unpack2(in, row_bits / 8, out);
  if (m.bits == 4) return unpack4(in, row_bits / 8, out);
  if (m.bits == 8) {
    std::memcpy(out, in, static_cast<size_t>(m.columns));
    return;
  }
  unpack_any(m, row, out);
}

OC_CLONES void from_table(const float* table, const uint8_t* codes, int64_t n, float* out) {
  for (int64_t i = 0; i < n; ++i) out[i] = table[codes[i]];
}

OC_CLONES void from_table4(const float* table, const uint8_t* codes, int64_t n, float* out) {
  // Four entries as two selects: this vectorises where a gather would not.
  const float t0 = table[0], t1 = table[1], t2 = table[2], t3 = table[3];
  for (int64_t i = 0; i < n; ++i) {
    const float low = (codes[i] & 1u) ? t1 : t0;
    const float high = (codes[i] & 1u) ? t3 : t2;
    out[i] = (codes[i] & 2u) ? high : low;
  }
}

OC_CLONES void from_grid(const uint8_t* codes, int64_t n, int32_t flip, int32_t zero, float scale,
                         float* out) {
  // flip = 2^(bits-1) turns two's complement into an offset; zero undoes it.
  for (int64_t i = 0; i < n; ++i) {
    out[i] = static_cast<float>((static_cast<int32_t>(codes[i]) ^ flip) - zero) * scale;
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

// One row as float32. `codes` (columns) and `entries` (2^bits) are scratch.
void decode_row(const PackedMatrix& m, int64_t row, uint8_t* codes, float* entries, float* out) {
  unpack_row(m, row, codes);
  if (m.table != nullptr) {
    const int64_t size = int64_t{1} << m.bits;
    widen(m.table + (row / m.rows_per_table) * size, size, entries);
    if (m.bits == 2) return from_table4(entries, codes, m.columns, out);
    return from_table(entries, codes, m.columns, out);
  }
  const int64_t groups = (m.columns + m.group - 1) / m.group;
  const int32_t half = 1 << (m.bits - 1);
  for (int64_t g = 0; g < groups; ++g) {
    const int64_t begin = g * m.group;
    const int64_t n = begin + m.group <= m.columns ? m.group : m.columns - begin;
    const float scale = half_to_float(m.scales[row * groups + g]);
    const int32_t flip = m.zeros == nullptr ? half : 0;
    const int32_t zero = m.zeros == nullptr ? half : m.zeros[row * groups + g];
    from_grid(codes + begin, n, flip, zero, scale, out + begin);
  }
}

struct Scratch {
  explicit Scratch(const PackedMatrix& m)
      : codes(static_cast<size_t>(m.columns)), row(static_cast<size_t>(m.columns)) {}
  std::vector<uint8_t> codes;
  std::vector<float> row;
  float entries[256];
};

constexpr int64_t kLimit = int64_t{1} << 46;

}  // namespace

const char* message(Status status) {
  switch (status) {
    case Status::ok: return "ok";
    case Status::bad_bits: return "bits must be 1 to 8";
    case Status::bad_shape: return "a size is negative or too large";
    case Status::too_short: return "a buffer is shorter than its shape";
    case Status::bad_group: return "group or rows_per_table must be positive";
    case Status::bad_index: return "an id is outside the table";
  }
  return "unknown status";
}

Status check(const PackedMatrix& m) {
  if (m.bits < 1 || m.bits > 8) return Status::bad_bits;
  int64_t elements = 0;
  if (!product(m.rows, m.columns, kLimit, &elements)) return Status::bad_shape;
  const uint64_t needed = (static_cast<uint64_t>(elements) * m.bits + 7) / 8;
  if (needed > m.code_bytes || (elements > 0 && m.codes == nullptr)) return Status::too_short;
  if (m.table != nullptr) {
    if (m.rows_per_table < 1) return Status::bad_group;
    const int64_t tables = m.rows / m.rows_per_table + (m.rows % m.rows_per_table != 0);
    if (static_cast<uint64_t>(tables) << m.bits > m.table_entries) return Status::too_short;
    return Status::ok;
  }
  if (m.group < 1) return Status::bad_group;
  const int64_t groups = m.columns / m.group + (m.columns % m.group != 0);
  int64_t scales = 0;
  if (!product(m.rows, groups, kLimit, &scales)) return Status::bad_shape;
  if (static_cast<uint64_t>(scales) > m.scale_entries) return Status::too_short;
  if (scales > 0 && m.scales == nullptr) return Status::too_short;
  if (m.zeros != nullptr && static_cast<uint64_t>(scales) > m.zero_entries) return Status::too_short;
  return Status::ok;
}

Status linear(const PackedMatrix& m, const float* x, int64_t count, float* out) {
  const Status status = check(m);
  if (status != Status::ok) return status;
  if (count < 0) return Status::bad_shape;
  Scratch scratch(m);
  for (int64_t r = 0; r < m.rows; ++r) {  // each row is decoded once and serves every token
    decode_row(m, r, scratch.codes.data(), scratch.entries, scratch.row.data());
    for (int64_t t = 0; t < count; ++t) {
      out[t * m.rows + r] = dot(x + t * m.columns, scratch.row.data(), m.columns);
    }
  }
  return Status::ok;
}

Status lookup(const PackedMatrix& m, const int64_t* ids, int64_t count, float* out) {
  const Status status = check(m);
  if (status != Status::ok) return status;
  Scratch scratch(m);
  for (int64_t t = 0; t < count; ++t) {
    if (ids[t] < 0 || ids[t] >= m.rows) return Status::bad_index;
    decode_row(m, ids[t], scratch.codes.data(), scratch.entries, out + t * m.columns);
  }
  return Status::ok;
}

Status linear_f16(const uint16_t* w, int64_t rows, int64_t columns, const float* x, int64_t count,
                  float* out) {
  if (rows < 0 || columns < 0 || count < 0) return Status::bad_shape;
  std::vector<float> row(static_cast<size_t>(columns));
  for (int64_t r = 0; r < rows; ++r) {
    widen(w + r * columns, columns, row.data());
    for (int64_t t = 0; t < count; ++t) out[t * rows + r] = dot(x + t * columns, row.data(), columns);
  }
  return Status::ok;
}

Status lookup_f16(const uint16_t* w, int64_t rows, int64_t columns, const int64_t* ids,
                  int64_t count, float* out) {
  for (int64_t t = 0; t < count; ++t) {
    if (ids[t] < 0 || ids[t] >= rows) return Status::bad_index;
    widen(w + ids[t] * columns, columns, out + t * columns);
  }
  return Status::ok;
}

}  // namespace optimum_compile
