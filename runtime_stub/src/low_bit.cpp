#include "optimum_compile/low_bit.h"

#include <cstring>
#include <vector>

#include "optimum_compile/bits.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__linux__)
#define OC_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define OC_CLONES
#endif

namespace optimum_compile {
namespace {

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
  const uint64_t first = static_cast<uint64_t>(row) * static_cast<uint64_t>(m.columns);
  for (int64_t c = 0; c < m.columns; ++c) {
    out[c] = static_cast<uint8_t>(code_at(m.codes, m.code_bytes, m.bits, first + c));
  }
}

// Eight codes are `kBits` whole bytes.
template <int kBits>
void unpack8(const uint8_t* in, int64_t blocks, uint8_t* out) {
  for (int64_t b = 0; b < blocks; ++b, in += kBits, out += 8) {
    uint64_t word = 0;
    for (int i = 0; i < kBits; ++i) word |= static_cast<uint64_t>(in[i]) << (8 * i);
    for (int i = 0; i < 8; ++i) {
      out[i] = static_cast<uint8_t>((word >> (kBits * i)) & ((1u << kBits) - 1u));
    }
  }
}

void unpack_row(const PackedMatrix& m, int64_t row, uint8_t* out) {
  const int64_t row_bits = m.columns * m.bits;
  if (row_bits % 8 != 0) return unpack_any(m, row, out);
  const uint8_t* in = m.codes + row * (row_bits / 8);
  if (m.columns % 8 == 0) {
    if (m.bits == 3) return unpack8<3>(in, m.columns / 8, out);
    if (m.bits == 5) return unpack8<5>(in, m.columns / 8, out);
    if (m.bits == 6) return unpack8<6>(in, m.columns / 8, out);
  }
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

OC_CLONES void from_free_grid(const uint8_t* codes, int64_t n, float zero, float scale, float* out) {
  for (int64_t i = 0; i < n; ++i) out[i] = (static_cast<float>(codes[i]) - zero) * scale;
}

OC_CLONES void from_e0m4(const uint8_t* codes, int64_t n, float scale, float offset, float* out) {
  for (int64_t i = 0; i < n; ++i) {
    // Two bitwise operations make an fp16 number in [1, 2); widening it only moves its fields.
    const uint32_t half = (static_cast<uint32_t>(codes[i]) << 6) | 0x3c00u;
    const uint32_t wide = (half << 13) + 0x38000000u;
    float h;
    std::memcpy(&h, &wide, 4);
    out[i] = h * scale + offset;  // the product is exact, so a fused operation gives the same
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

float scale_of(const PackedMatrix& m, int64_t row, int64_t at) {
  if (m.scale_codes == nullptr) return half_to_float(m.scales[at]);
  const uint32_t code = code_at(m.scale_codes, m.scale_code_bytes, m.scale_bits, at);
  return round_to_half(half_to_float(m.supers[row]) * static_cast<float>(code));
}

// One row of the dense part as float32. `codes` (columns) and `entries` (2^bits) are scratch.
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
    const int64_t begin = g * m.group, at = row * groups + g;
    const int64_t n = begin + m.group <= m.columns ? m.group : m.columns - begin;
    const float scale = scale_of(m, row, at);
    if (m.offsets != nullptr) {
      from_e0m4(codes + begin, n, scale, half_to_float(m.offsets[at]), out + begin);
    } else if (m.half_zeros != nullptr) {
      from_free_grid(codes + begin, n, half_to_float(m.half_zeros[at]), scale, out + begin);
    } else {
      const int32_t flip = m.zeros == nullptr ? half : 0;
      const int32_t zero = m.zeros == nullptr ? half : m.zeros[at];
      from_grid(codes + begin, n, flip, zero, scale, out + begin);
    }
  }
}

constexpr int64_t kShortRun = 128, kLongRun = 65536;

int64_t runs_of(const PackedMatrix& m) { return (m.columns + m.run - 1) / m.run; }

uint32_t count_at(const PackedMatrix& m, int64_t run) {
  if (m.run == kShortRun) return m.counts[run];
  const uint8_t* b = m.counts + 4 * run;
  return b[0] | static_cast<uint32_t>(b[1]) << 8 | static_cast<uint32_t>(b[2]) << 16 |
         static_cast<uint32_t>(b[3]) << 24;
}

uint32_t place_at(const PackedMatrix& m, uint64_t index) {
  if (m.run == kShortRun) return code_at(m.places, m.place_bytes, 7, index);
  return m.places[2 * index] | static_cast<uint32_t>(m.places[2 * index + 1]) << 8;
}

// The first outlier of each row, and one past the last: rows + 1 numbers, none without outliers.
Status find_starts(const PackedMatrix& m, std::vector<uint64_t>* starts) {
  if (m.counts == nullptr) return Status::ok;
  const int64_t runs = runs_of(m);
  uint64_t total = 0;
  starts->reserve(static_cast<size_t>(m.rows) + 1);
  for (int64_t row = 0; row < m.rows; ++row) {
    starts->push_back(total);
    for (int64_t run = row * runs; run < (row + 1) * runs; ++run) total += count_at(m, run);
  }
  starts->push_back(total);
  const uint64_t held = m.run == kShortRun ? m.place_bytes * uint64_t{8} / 7 : m.place_bytes / 2;
  if (total > held) return Status::too_short;
  return m.values != nullptr && total > m.value_entries ? Status::too_short : Status::ok;
}

// Put the outliers of a row in their places.
bool place_outliers(const PackedMatrix& m, int64_t row, uint64_t first, const uint8_t* codes,
                    float* out) {
  const int64_t runs = runs_of(m);
  const int64_t groups = m.group < 1 ? 0 : (m.columns + m.group - 1) / m.group;
  const int32_t half = 1 << (m.bits - 1);
  uint64_t at = first;
  int64_t group = 0, end = m.group;  // columns ascend, so groups are walked, not divided
  for (int64_t run = 0; run < runs; ++run) {
    for (uint32_t left = count_at(m, row * runs + run); left > 0; --left, ++at) {
      const int64_t column = run * m.run + place_at(m, at);
      if (column >= m.columns) return false;
      if (m.values != nullptr) {
        out[column] += half_to_float(m.values[at]);
        continue;
      }
      if (column < end - m.group) group = 0, end = m.group;  // a file may not keep the order
      for (; column >= end; end += m.group) ++group;
      const float scale = half_to_float(m.outlier_scales[row * groups + group]);
      out[column] = static_cast<float>((codes[column] ^ half) - half) * scale;
    }
  }
  return true;
}

struct Scratch {
  explicit Scratch(const PackedMatrix& m)
      : codes(static_cast<size_t>(m.columns)), row(static_cast<size_t>(m.columns)) {}

  // One row as float32 into `out` (columns); false where an outlier lies outside it.
  bool decode(const PackedMatrix& m, int64_t r, float* out) {
    decode_row(m, r, codes.data(), entries, out);
    return starts.empty() || place_outliers(m, r, starts[static_cast<size_t>(r)], codes.data(), out);
  }

  std::vector<uint8_t> codes;
  std::vector<float> row;
  std::vector<uint64_t> starts;
  float entries[256];
};

constexpr int64_t kLimit = int64_t{1} << 46;

Status check_grid(const PackedMatrix& m, uint64_t scales) {
  if (m.scale_codes != nullptr) {
    if (m.scale_bits < 1 || m.scale_bits > 8) return Status::bad_bits;
    if ((scales * m.scale_bits + 7) / 8 > m.scale_code_bytes) return Status::too_short;
    if (m.supers == nullptr || m.super_entries < static_cast<uint64_t>(m.rows)) {
      return Status::too_short;
    }
  } else if (scales > m.scale_entries || (scales > 0 && m.scales == nullptr)) {
    return Status::too_short;
  }
  if (m.offsets != nullptr) {
    if (m.bits != 4) return Status::bad_bits;
    return scales > m.offset_entries ? Status::too_short : Status::ok;
  }
  const bool zeros = m.zeros != nullptr || m.half_zeros != nullptr;
  return zeros && scales > m.zero_entries ? Status::too_short : Status::ok;
}

Status check_outliers(const PackedMatrix& m) {
  if (m.counts == nullptr) return Status::ok;
  if (m.run != kShortRun && m.run != kLongRun) return Status::bad_group;
  int64_t runs = 0;
  if (!product(m.rows, m.columns / m.run + (m.columns % m.run != 0), kLimit, &runs)) {
    return Status::bad_shape;
  }
  const uint64_t width = m.run == kShortRun ? 1 : 4;
  if (static_cast<uint64_t>(runs) * width > m.count_bytes || m.places == nullptr) {
    return Status::too_short;
  }
  if (m.values != nullptr) return Status::ok;  // how many there are, `find_starts` compares
  const bool is_signed = m.table == nullptr && m.offsets == nullptr && m.zeros == nullptr &&
                         m.half_zeros == nullptr;
  if (m.outlier_scales == nullptr || !is_signed) return Status::bad_parts;
  const int64_t groups = m.columns / m.group + (m.columns % m.group != 0);
  const uint64_t scales = static_cast<uint64_t>(m.rows) * static_cast<uint64_t>(groups);
  return scales > m.outlier_scale_entries ? Status::too_short : Status::ok;
}

Status check_dense(const PackedMatrix& m) {
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
  return check_grid(m, static_cast<uint64_t>(scales));
}

}  // namespace

const char* message(Status status) {
  switch (status) {
    case Status::ok: return "ok";
    case Status::bad_bits: return "bits must be 1 to 8";
    case Status::bad_shape: return "a size is negative or too large";
    case Status::too_short: return "a buffer is shorter than its shape";
    case Status::bad_group: return "group and rows_per_table must be positive, run 128 or 65536";
    case Status::bad_index: return "an id is outside the table, or an outlier outside its row";
    case Status::bad_parts: return "outliers need values, or scales of a signed grid";
  }
  return "unknown status";
}

Status check(const PackedMatrix& m) {
  if (m.bits < 1 || m.bits > 8) return Status::bad_bits;
  int64_t elements = 0;
  if (!product(m.rows, m.columns, kLimit, &elements)) return Status::bad_shape;
  const uint64_t needed = (static_cast<uint64_t>(elements) * m.bits + 7) / 8;
  if (needed > m.code_bytes || (elements > 0 && m.codes == nullptr)) return Status::too_short;
  const Status dense = check_dense(m);
  return dense == Status::ok ? check_outliers(m) : dense;
}

Status linear(const PackedMatrix& m, const float* x, int64_t count, float* out) {
  const Status status = check(m);
  if (status != Status::ok) return status;
  if (count < 0) return Status::bad_shape;
  Scratch scratch(m);
  const Status found = find_starts(m, &scratch.starts);
  if (found != Status::ok) return found;
  for (int64_t r = 0; r < m.rows; ++r) {  // each row is decoded once and serves every token
    if (!scratch.decode(m, r, scratch.row.data())) return Status::bad_index;
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
  const Status found = find_starts(m, &scratch.starts);
  if (found != Status::ok) return found;
  for (int64_t t = 0; t < count; ++t) {
    if (ids[t] < 0 || ids[t] >= m.rows) return Status::bad_index;
    if (!scratch.decode(m, ids[t], out + t * m.columns)) return Status::bad_index;
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
