#include "optimum_compile/low_bit.h"

#include <cstring>
#include <utility>
#include <vector>

#include "optimum_compile/bits.h"
#include "optimum_compile/outliers.h"
#include "optimum_compile/products.h"
#include "optimum_compile/rows.h"

namespace optimum_compile {
namespace {

// Codes of one row, one byte each, into `out` (columns).
OC_CLONES void unpack2(const uint8_t* OC_ALONE in, int64_t bytes, uint8_t* OC_ALONE out) {
  // Four codes spread over four bytes at once; the least significant byte comes first in memory.
  for (int64_t i = 0; i < bytes; ++i) {
    const uint32_t b = in[i];
    const uint32_t four = (b | b << 6 | b << 12 | b << 18) & 0x03030303u;
    std::memcpy(out + 4 * i, &four, 4);
  }
}

OC_CLONES void unpack4(const uint8_t* OC_ALONE in, int64_t bytes, uint8_t* OC_ALONE out) {
  for (int64_t i = 0; i < bytes; ++i) {
    const uint16_t two = static_cast<uint16_t>((in[i] | in[i] << 4) & 0x0f0f);
    std::memcpy(out + 2 * i, &two, 2);
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

// (number - zero) * scale in place. A size known here lets short groups vectorise.
template <int64_t kSize>
inline void shift_scale(int64_t groups, const float* zeros, const float* scales, float* OC_ALONE out) {
  for (int64_t g = 0; g < groups; ++g) {
    const float zero = zeros[g], scale = scales[g];
    for (int64_t i = 0; i < kSize; ++i) out[g * kSize + i] = (out[g * kSize + i] - zero) * scale;
  }
}

// (code - zero) * scale; flip = 2^(bits-1) turns two's complement into an offset, which zero undoes.
OC_CLONES void from_grid(const uint8_t* OC_ALONE codes, int64_t columns, int64_t group,
                         uint32_t flip, const float* zeros, const float* scales,
                         float* OC_ALONE out) {
  for (int64_t i = 0; i < columns; ++i) {
    out[i] = static_cast<float>(static_cast<int32_t>(codes[i] ^ flip));
  }
  if (group == 16 && columns % 16 == 0) return shift_scale<16>(columns / 16, zeros, scales, out);
  if (group == 32 && columns % 32 == 0) return shift_scale<32>(columns / 32, zeros, scales, out);
  for (int64_t begin = 0; begin < columns; begin += group, ++zeros, ++scales) {
    const int64_t end = columns - begin < group ? columns : begin + group;
    const float zero = *zeros, scale = *scales;
    for (int64_t i = begin; i < end; ++i) out[i] = (out[i] - zero) * scale;
  }
}

OC_CLONES void from_e0m4(const uint8_t* codes, int64_t columns, int64_t group, const float* offsets,
                         const float* scales, float* out) {
  for (int64_t begin = 0; begin < columns; begin += group, ++offsets, ++scales) {
    const int64_t end = columns - begin < group ? columns : begin + group;
    const float offset = *offsets, scale = *scales;
    for (int64_t i = begin; i < end; ++i) {
      // Two bitwise operations make an fp16 number in [1, 2); widening it only moves its fields.
      const uint32_t half = (static_cast<uint32_t>(codes[i]) << 6) | 0x3c00u;
      const uint32_t wide = (half << 13) + 0x38000000u;
      float h;
      std::memcpy(&h, &wide, 4);
      out[i] = h * scale + offset;  // the product is exact, so a fused operation gives the same
    }
  }
}

OC_CLONES void widen_products(const uint8_t* codes, int64_t n, float number, float* out) {
  for (int64_t i = 0; i < n; ++i) out[i] = round_to_half(number * static_cast<float>(codes[i]));
}

OC_CLONES void scale_codes(const uint8_t* codes, int64_t n, float step, float* out) {
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<float>(codes[i]) * step;
}

// Room for one row.
struct Scratch {
  explicit Scratch(const PackedMatrix& m)
      : levels(static_cast<size_t>(groups_of(m))),
        scales(levels.size() + kMore),
        zeros(levels.size() + kMore) {}

  // Only where rows are decoded here.
  void make_row(const PackedMatrix& m) {
    codes.resize(static_cast<size_t>(m.columns));
    row.resize(static_cast<size_t>(m.columns));
  }

  static constexpr size_t kMore = 8;  // kernels read whole registers


  std::vector<uint8_t> codes;
  std::vector<float> row;
  std::vector<uint8_t> levels;  // codes of scales, then of zero points
  std::vector<float> scales, zeros;
  std::vector<uint64_t> starts;  // of the outliers of each row, if there are any
  int64_t table = -1;            // the one in `entries`
  float entries[256];
};

// Codes first .. first + n - 1 of a packed stream, one byte each.
void unpack_some(const uint8_t* data, size_t bytes, int bits, int64_t first, int64_t n, uint8_t* out) {
  if (bits == 4 && first % 2 == 0 && n % 2 == 0) return unpack4(data + first / 2, n / 2, out);
  for (int64_t i = 0; i < n; ++i) {
    out[i] = static_cast<uint8_t>(code_at(data, bytes, bits, static_cast<uint64_t>(first + i)));
  }
}

void find_scales(const PackedMatrix& m, int64_t row, Scratch& s) {
  const int64_t n = groups_of(m), first = row * n;
  if (m.scale_codes == nullptr) return widen(m.scales + first, n, s.scales.data());
  unpack_some(m.scale_codes, m.scale_code_bytes, m.scale_bits, first, n, s.levels.data());
  widen_products(s.levels.data(), n, half_to_float(m.supers[row]), s.scales.data());
}

// Zero points, or the offsets of E0M4.
void find_zeros(const PackedMatrix& m, int64_t row, Scratch& s) {
  const int64_t n = groups_of(m), first = row * n;
  if (m.offsets != nullptr) return widen(m.offsets + first, n, s.zeros.data());
  if (m.half_zeros != nullptr) return widen(m.half_zeros + first, n, s.zeros.data());
  if (m.zeros == nullptr) {
    for (float& zero : s.zeros) zero = static_cast<float>(1 << (m.bits - 1));
    return;
  }
  unpack_some(m.zeros, m.zero_bytes, m.zero_bits, first, n, s.levels.data());
  const float step = 1.0f / static_cast<float>(1 << (m.zero_bits - m.bits));
  scale_codes(s.levels.data(), n, step, s.zeros.data());
}

// The table of a row: rows of one table follow each other.
void find_table(const PackedMatrix& m, int64_t row, Scratch& s) {
  const int64_t size = int64_t{1} << m.bits, table = row / m.rows_per_table;
  if (table == s.table) return;
  widen(m.table + table * size, size, s.entries);
  s.table = table;
}

// One row of the dense part as float32 into `out` (columns).
void decode_row(const PackedMatrix& m, int64_t row, Scratch& s, float* out) {
  uint8_t* codes = s.codes.data();
  unpack_row(m, row, codes);
  if (m.table != nullptr) {
    find_table(m, row, s);
    if (m.bits == 2) return from_table4(s.entries, codes, m.columns, out);
    if (m.bits == 3) return from_table8(s.entries, codes, m.columns, out);
    return from_table(s.entries, codes, m.columns, out);
  }
  find_scales(m, row, s);
  find_zeros(m, row, s);
  if (m.offsets != nullptr) {
    return from_e0m4(codes, m.columns, m.group, s.zeros.data(), s.scales.data(), out);
  }
  const bool is_signed = m.zeros == nullptr && m.half_zeros == nullptr;
  const uint32_t flip = is_signed ? 1u << (m.bits - 1) : 0u;
  from_grid(codes, m.columns, m.group, flip, s.zeros.data(), s.scales.data(), out);
}

// One row with its outliers as float32 into `out` (columns); false where one lies outside it.
bool decode(const PackedMatrix& m, int64_t row, Scratch& s, float* out) {
  decode_row(m, row, s, out);
  if (s.starts.empty()) return true;
  return place_outliers(m, row, s.starts[static_cast<size_t>(row)], s.codes.data(), out);
}

// What multiplies rows as they lie; null where they have outliers, or codes that share bytes with other rows.
const FusedKernel* find_kernel(const PackedMatrix& m) {
  if (m.counts != nullptr || m.offsets != nullptr || m.rows == 0 || m.columns == 0) return nullptr;
  if (m.table != nullptr) {
    switch (m.bits) {
      case 2: return kernel_for(RowKind::table2, m.columns);
      case 3: return kernel_for(RowKind::table3, m.columns);
      case 4: return kernel_for(RowKind::table4, m.columns);
      case 6: return kernel_for(RowKind::table6, m.columns);
      default: return nullptr;
    }
  }
  const bool one = m.group >= m.columns;
  const bool narrow = m.group == 8 || m.group == 16 || m.group == 32;
  if (m.bits == 4 && (one || narrow || m.group % 64 == 0)) return kernel_for(RowKind::grid4, m.columns);
  if (m.bits == 8 && (one || m.group % 32 == 0)) return kernel_for(RowKind::grid8, m.columns);
  return nullptr;
}

class PackedRows : public RowReader {
 public:
  explicit PackedRows(const PackedMatrix& m) : m_(m), scratch_(m), kernel_(find_kernel(m)) {
    if (kernel_ == nullptr) return;
    row_bytes_ = m.columns * m.bits / 8;
    seen_.columns = m.columns;
    // A row is one group even where its length is no multiple of what kernels take.
    seen_.group = m.group < m.columns ? m.group : (m.columns + 63) / 64 * 64;
    seen_.scales = scratch_.scales.data();
    if (m.zeros != nullptr || m.half_zeros != nullptr) seen_.zeros = scratch_.zeros.data();
  }
  Status start() { return find_starts(m_, &scratch_.starts); }
  const float* read(int64_t row) override {
    if (scratch_.row.empty()) scratch_.make_row(m_);
    return decode(m_, row, scratch_, scratch_.row.data()) ? scratch_.row.data() : nullptr;
  }
  const FusedKernel* kernel() const override { return kernel_; }
  const FusedRow& see(int64_t row) override {
    seen_.codes = m_.codes + row * row_bytes_;
    fetch_ahead(seen_.codes, row_bytes_, (m_.rows - row) * row_bytes_);
    if (m_.table != nullptr) {
      seen_.table = m_.table + ((row / m_.rows_per_table) << m_.bits);
      if (m_.bits != 6) return seen_;
      find_table(m_, row, scratch_);
      seen_.entries = scratch_.entries;
      return seen_;
    }
    find_scales(m_, row, scratch_);
    if (m_.zeros != nullptr || m_.half_zeros != nullptr) find_zeros(m_, row, scratch_);
    return seen_;
  }

 private:
  const PackedMatrix& m_;
  Scratch scratch_;
  const FusedKernel* const kernel_;
  int64_t row_bytes_ = 0;
  FusedRow seen_;
};

class HalfRows : public RowReader {
 public:
  HalfRows(const uint16_t* w, int64_t rows, int64_t columns)
      : w_(w), rows_(rows), columns_(columns), kernel_(kernel_for(RowKind::half, columns)) {
    seen_.columns = columns;
  }
  const float* read(int64_t row) override {
    row_.resize(static_cast<size_t>(columns_));
    widen(w_ + row * columns_, columns_, row_.data());
    return row_.data();
  }
  const FusedKernel* kernel() const override { return kernel_; }
  const FusedRow& see(int64_t row) override {
    seen_.table = w_ + row * columns_;
    fetch_ahead(seen_.table, 2 * columns_, (rows_ - row) * 2 * columns_);
    return seen_;
  }

 private:
  const uint16_t* const w_;
  const int64_t rows_, columns_;
  const FusedKernel* const kernel_;
  std::vector<float> row_;
  FusedRow seen_;
};

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
  if (m.half_zeros != nullptr) return scales > m.half_zero_entries ? Status::too_short : Status::ok;
  if (m.zeros == nullptr) return Status::ok;
  if (m.zero_bits < m.bits || m.zero_bits > 8) return Status::bad_bits;
  return (scales * m.zero_bits + 7) / 8 > m.zero_bytes ? Status::too_short : Status::ok;
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
    case Status::bad_width: return "the weight cannot be read at this width";
    case Status::bad_position: return "the tokens do not fit the context, or their order";
    case Status::bad_alignment: return "a cache does not begin at an even address";
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
  std::unique_ptr<RowReader> reader;
  const Status status = open_rows(m, &reader);
  return status == Status::ok ? multiply(*reader, m.rows, m.columns, x, count, out) : status;
}

Status lookup(const PackedMatrix& m, const int64_t* ids, int64_t count, float* out) {
  const Status status = check(m);
  if (status != Status::ok) return status;
  Scratch scratch(m);
  scratch.make_row(m);
  const Status found = find_starts(m, &scratch.starts);
  if (found != Status::ok) return found;
  for (int64_t t = 0; t < count; ++t) {
    if (ids[t] < 0 || ids[t] >= m.rows) return Status::bad_index;
    if (!decode(m, ids[t], scratch, out + t * m.columns)) return Status::bad_index;
  }
  return Status::ok;
}

Status open_rows(const PackedMatrix& m, std::unique_ptr<RowReader>* out) {
  const Status status = check(m);
  if (status != Status::ok) return status;
  auto reader = std::make_unique<PackedRows>(m);
  const Status found = reader->start();
  if (found == Status::ok) *out = std::move(reader);
  return found;
}

void open_halves(const uint16_t* w, int64_t rows, int64_t columns, std::unique_ptr<RowReader>* out) {
  *out = std::make_unique<HalfRows>(w, rows, columns);
}

Status linear_f16(const uint16_t* w, int64_t rows, int64_t columns, const float* x, int64_t count,
                  float* out) {
  if (rows < 0 || columns < 0) return Status::bad_shape;
  HalfRows reader(w, rows, columns);
  return multiply(reader, rows, columns, x, count, out);
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
