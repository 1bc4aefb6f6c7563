#include "optimum_compile/vectors.h"

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
  explicit Reader(const VectorMatrix& m)
      : m(m),
        codes(static_cast<size_t>(m.columns / m.width)),
        entries(static_cast<size_t>(m.width) << m.bits) {
    if (m.rows > 0 && m.columns > 0) widen(m.table, static_cast<int64_t>(entries.size()), entries.data());
  }

  const VectorMatrix& m;
  std::vector<uint8_t> codes;
  std::vector<float> entries;
};

void unpack_row(Reader& r, int64_t row) {
  const size_t n = r.codes.size(), first = static_cast<size_t>(row) * n;
  if (r.m.bits == 8) return void(std::memcpy(r.codes.data(), r.m.indices + first, n));
  for (size_t i = 0; i < n; ++i) {
    r.codes[i] = static_cast<uint8_t>(code_at(r.m.indices, r.m.index_bytes, r.m.bits, first + i));
  }
}

// Scaled vectors of one group; a width known here becomes one load and one store.
template <int kWidth>
inline void copy(const float* table, const uint8_t* OC_ALONE codes, int64_t n, float scale,
                 float* OC_ALONE out) {
  for (int64_t i = 0; i < n; ++i) {
    const float* entry = table + static_cast<int64_t>(codes[i]) * kWidth;
    for (int j = 0; j < kWidth; ++j) out[i * kWidth + j] = entry[j] * scale;
  }
}

OC_CLONES void copy_group(const float* table, const uint8_t* codes, int64_t n, int width, float scale,
                          float* out) {
  switch (width) {
    case 2: return copy<2>(table, codes, n, scale, out);
    case 4: return copy<4>(table, codes, n, scale, out);
    default: return copy<8>(table, codes, n, scale, out);
  }
}

float scale_at(const VectorMatrix& m, int64_t row, int64_t index) {
  if (m.scale_codes == nullptr) return half_to_float(m.scales[index]);
  const uint32_t level =
      code_at(m.scale_codes, m.scale_code_bytes, m.scale_bits, static_cast<uint64_t>(index));
  return round_to_half(half_to_float(m.supers[row]) * static_cast<float>(level));
}

int64_t groups_of(const VectorMatrix& m) { return m.columns / m.group + (m.columns % m.group != 0); }

// One row as float32 into `out` (columns).
void decode(Reader& r, int64_t row, float* out) {
  const VectorMatrix& m = r.m;
  unpack_row(r, row);
  int64_t index = row * groups_of(m);
  for (int64_t begin = 0; begin < m.columns; begin += m.group, ++index) {
    const int64_t size = m.columns - begin < m.group ? m.columns - begin : m.group;
    copy_group(r.entries.data(), r.codes.data() + begin / m.width, size / m.width, m.width,
               scale_at(m, row, index), out + begin);
  }
}

const FusedKernel* find_kernel(const VectorMatrix& m) {
  if (m.rows == 0 || m.columns == 0) return nullptr;
  const bool one = m.group >= m.columns;
  if (m.bits == 8 && m.width == 4 && (one || m.group % 32 == 0)) {
    return kernel_for(RowKind::vector8x4, m.columns);
  }
  if (m.bits == 8 && m.width == 2 && (one || m.group % 32 == 0)) {
    return kernel_for(RowKind::vector8x2, m.columns);
  }
  return m.bits == 6 && m.width == 2 && one ? kernel_for(RowKind::vector6x2, m.columns) : nullptr;
}

class VectorRows : public RowReader {
 public:
  explicit VectorRows(const VectorMatrix& m)
      : reader_(m),
        row_(static_cast<size_t>(m.columns)),
        scales_(static_cast<size_t>(groups_of(m))),
        kernel_(find_kernel(m)) {
    seen_.columns = m.columns;
    seen_.entries = reader_.entries.data();
    seen_.table = m.table;
    seen_.scales = scales_.data();
    seen_.group = m.group < m.columns ? m.group : m.columns;
  }
  const float* read(int64_t row) override {
    decode(reader_, row, row_.data());
    return row_.data();
  }
  const FusedKernel* kernel() const override { return kernel_; }
  const FusedRow& see(int64_t row) override {
    const VectorMatrix& m = reader_.m;
    const int64_t first = row * static_cast<int64_t>(scales_.size());
    for (size_t g = 0; g < scales_.size(); ++g) scales_[g] = scale_at(m, row, first + static_cast<int64_t>(g));
    const int64_t bytes = m.columns / m.width * m.bits / 8;
    seen_.codes = m.indices + row * bytes;
    fetch_ahead(seen_.codes, bytes, (m.rows - row) * bytes);
    return seen_;
  }

 private:
  Reader reader_;
  std::vector<float> row_, scales_;
  const FusedKernel* const kernel_;
  FusedRow seen_;
};

Status check_scales(const VectorMatrix& m) {
  int64_t scales = 0;
  if (!product(m.rows, groups_of(m), kLimit, &scales)) return Status::bad_shape;
  const uint64_t count = static_cast<uint64_t>(scales);
  if (m.scale_codes == nullptr) {
    const bool fits = count <= m.scale_entries && (count == 0 || m.scales != nullptr);
    return fits ? Status::ok : Status::too_short;
  }
  if (m.scale_bits < 1 || m.scale_bits > 8) return Status::bad_bits;
  const uint64_t bytes = (count * static_cast<uint64_t>(m.scale_bits) + 7) / 8;
  const bool fits = bytes <= m.scale_code_bytes && m.supers != nullptr &&
                    static_cast<uint64_t>(m.rows) <= m.super_entries;
  return fits ? Status::ok : Status::too_short;
}

}  // namespace

Status check(const VectorMatrix& m) {
  if (m.bits < 1 || m.bits > 8) return Status::bad_bits;
  if (m.width != 2 && m.width != 4 && m.width != 8) return Status::bad_width;
  int64_t elements = 0;
  if (!product(m.rows, m.columns, kLimit, &elements)) return Status::bad_shape;
  if (m.columns % m.width != 0) return Status::bad_width;
  if (m.group < m.width || m.group % m.width != 0) return Status::bad_group;
  const uint64_t vectors = static_cast<uint64_t>(elements / m.width);
  if ((vectors * static_cast<uint64_t>(m.bits) + 7) / 8 > m.index_bytes) return Status::too_short;
  if ((static_cast<uint64_t>(m.width) << m.bits) > m.table_entries) return Status::too_short;
  if (elements > 0 && (m.indices == nullptr || m.table == nullptr)) return Status::too_short;
  return check_scales(m);
}

Status linear(const VectorMatrix& m, const float* x, int64_t count, float* out) {
  std::unique_ptr<RowReader> reader;
  const Status status = open_rows(m, &reader);
  return status == Status::ok ? multiply(*reader, m.rows, m.columns, x, count, out) : status;
}

Status lookup(const VectorMatrix& m, const int64_t* ids, int64_t count, float* out) {
  const Status status = check(m);
  if (status != Status::ok) return status;
  Reader reader(m);
  for (int64_t t = 0; t < count; ++t) {
    if (ids[t] < 0 || ids[t] >= m.rows) return Status::bad_index;
    decode(reader, ids[t], out + t * m.columns);
  }
  return Status::ok;
}

Status open_rows(const VectorMatrix& m, std::unique_ptr<RowReader>* out) {
  const Status status = check(m);
  if (status == Status::ok) *out = std::make_unique<VectorRows>(m);
  return status;
}

}  // namespace optimum_compile
