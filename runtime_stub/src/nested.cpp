#include "optimum_compile/nested.h"

#include <cstring>
#include <vector>

#include "optimum_compile/bits.h"
#include "optimum_compile/outliers.h"
#include "optimum_compile/products.h"
#include "optimum_compile/rows.h"

namespace optimum_compile {
namespace {

// A matrix as one reader of it sees it.
struct Reader {
  Reader(const NestedMatrix& m, int width)
      : m(m),
        width(width),
        plane((static_cast<size_t>(m.rows) * static_cast<size_t>(m.columns) + 7) / 8) {
    const int64_t tables_of_one = m.rows / m.rows_per_table + (m.rows % m.rows_per_table != 0);
    // The narrower tables come first: 2^seed + ... + 2^(width - 1) entries of each.
    tables = m.tables + tables_of_one * ((int64_t{1} << width) - (int64_t{1} << m.seed_bits));
  }

  // Only where rows are decoded here.
  void make_codes() { codes.resize(static_cast<size_t>(m.columns)); }

  const NestedMatrix& m;
  const int width;
  const size_t plane;  // bytes
  const uint16_t* tables = nullptr;
  int64_t table = -1;  // the one in `entries`
  std::vector<uint8_t> codes;
  float entries[256];
};

// Eight bytes of 0 or 1 from the bits of one, the least significant first in memory.
inline uint64_t spread(uint64_t byte) {
  // Copies at distances of seven bits put bit j at 8 j without touching each other; bit 7 goes alone.
  const uint64_t seven = (byte & 0x7fu) * 0x0002040810204081u;
  return (seven & 0x0001010101010101u) | (byte & 0x80u) << 49;
}

// Codes of a run of whole bytes of `kWidth` planes that are `stride` apart.
template <int kWidth>
inline void join(const uint8_t* OC_ALONE in, size_t stride, int64_t bytes, uint8_t* OC_ALONE out) {
  for (int64_t i = 0; i < bytes; ++i) {
    uint64_t eight = 0;
    for (int p = 0; p < kWidth; ++p) {
      eight = eight << 1 | spread(in[static_cast<size_t>(p) * stride + static_cast<size_t>(i)]);
    }
    std::memcpy(out + 8 * i, &eight, 8);
  }
}

OC_CLONES void join_planes(const uint8_t* in, size_t stride, int width, int64_t bytes, uint8_t* out) {
  switch (width) {
    case 1: return join<1>(in, stride, bytes, out);
    case 2: return join<2>(in, stride, bytes, out);
    case 3: return join<3>(in, stride, bytes, out);
    case 4: return join<4>(in, stride, bytes, out);
    case 5: return join<5>(in, stride, bytes, out);
    case 6: return join<6>(in, stride, bytes, out);
    case 7: return join<7>(in, stride, bytes, out);
    default: return join<8>(in, stride, bytes, out);
  }
}

// A row that begins or ends inside a byte.
void join_bits(const Reader& r, size_t first, uint8_t* out) {
  for (size_t i = 0; i < r.codes.size(); ++i) {
    const size_t bit = first + i;
    uint32_t code = 0;
    for (int p = 0; p < r.width; ++p) {
      const uint32_t byte = r.m.planes[static_cast<size_t>(p) * r.plane + bit / 8];
      code = code << 1 | ((byte >> (bit % 8)) & 1u);
    }
    out[i] = static_cast<uint8_t>(code);
  }
}

// The table of a row: rows of one table follow each other.
void find_table(Reader& r, int64_t row) {
  const int64_t size = int64_t{1} << r.width, table = row / r.m.rows_per_table;
  if (table == r.table) return;
  widen(r.tables + table * size, size, r.entries);
  r.table = table;
}

// One row as float32 into `out` (columns).
void decode(Reader& r, int64_t row, float* out) {
  find_table(r, row);
  const size_t first = static_cast<size_t>(row) * static_cast<size_t>(r.m.columns);
  if (r.m.columns % 8 == 0) {
    join_planes(r.m.planes + first / 8, r.plane, r.width, r.m.columns / 8, r.codes.data());
  } else {
    join_bits(r, first, r.codes.data());
  }
  if (r.width == 2) return from_table4(r.entries, r.codes.data(), r.m.columns, out);
  if (r.width == 3) return from_table8(r.entries, r.codes.data(), r.m.columns, out);
  from_table(r.entries, r.codes.data(), r.m.columns, out);
}

const FusedKernel* find_kernel(const NestedMatrix& m, int width) {
  if (m.rows == 0 || m.columns == 0) return nullptr;
  switch (width) {
    case 2: return kernel_for(RowKind::nested2, m.columns);
    case 3: return kernel_for(RowKind::nested3, m.columns);
    case 4: return kernel_for(RowKind::nested4, m.columns);
    default: return nullptr;
  }
}

class NestedRows : public RowReader {
 public:
  NestedRows(const NestedMatrix& m, int width)
      : reader_(m, width), kernel_(find_kernel(m, width)) {
    seen_.plane = static_cast<int64_t>(reader_.plane);
    seen_.columns = m.columns;
  }
  const float* read(int64_t row) override {
    reader_.make_codes();
    row_.resize(reader_.codes.size());
    decode(reader_, row, row_.data());
    return row_.data();
  }
  const FusedKernel* kernel() const override { return kernel_; }
  const FusedRow& see(int64_t row) override {
    const int64_t bytes = reader_.m.columns / 8, behind = (reader_.m.rows - row) * bytes;
    seen_.codes = reader_.m.planes + row * bytes;
    for (int p = 0; p < reader_.width; ++p) fetch_ahead(seen_.codes + p * seen_.plane, bytes, behind);
    seen_.table = reader_.tables + ((row / reader_.m.rows_per_table) << reader_.width);
    return seen_;
  }

 private:
  Reader reader_;
  std::vector<float> row_;
  const FusedKernel* const kernel_;
  FusedRow seen_;
};

}  // namespace

Status check(const NestedMatrix& m, int64_t width) {
  if (m.seed_bits < 1 || m.bits > 8 || m.seed_bits > m.bits) return Status::bad_bits;
  if (width < m.seed_bits || width > m.bits) return Status::bad_width;
  int64_t elements = 0;
  if (!product(m.rows, m.columns, kLimit, &elements)) return Status::bad_shape;
  if (m.rows_per_table < 1) return Status::bad_group;
  const uint64_t plane = (static_cast<uint64_t>(elements) + 7) / 8;
  const uint64_t tables =
      static_cast<uint64_t>(m.rows / m.rows_per_table + (m.rows % m.rows_per_table != 0));
  const uint64_t entries = (uint64_t{2} << m.bits) - (uint64_t{1} << m.seed_bits);
  if (plane * static_cast<uint64_t>(m.bits) > m.plane_bytes) return Status::too_short;
  if (tables > m.table_entries / entries) return Status::too_short;
  if (elements > 0 && (m.planes == nullptr || m.tables == nullptr)) return Status::too_short;
  return Status::ok;
}

Status linear(const NestedMatrix& m, int64_t width, const float* x, int64_t count, float* out) {
  std::unique_ptr<RowReader> reader;
  const Status status = open_rows(m, width, &reader);
  return status == Status::ok ? multiply(*reader, m.rows, m.columns, x, count, out) : status;
}

Status lookup(const NestedMatrix& m, int64_t width, const int64_t* ids, int64_t count, float* out) {
  const Status status = check(m, width);
  if (status != Status::ok) return status;
  Reader reader(m, static_cast<int>(width));
  reader.make_codes();
  for (int64_t t = 0; t < count; ++t) {
    if (ids[t] < 0 || ids[t] >= m.rows) return Status::bad_index;
    decode(reader, ids[t], out + t * m.columns);
  }
  return Status::ok;
}

Status open_rows(const NestedMatrix& m, int64_t width, std::unique_ptr<RowReader>* out) {
  const Status status = check(m, width);
  if (status == Status::ok) *out = std::make_unique<NestedRows>(m, static_cast<int>(width));
  return status;
}

}  // namespace optimum_compile
