#include "optimum_compile/outliers.h"

#include "optimum_compile/bits.h"

namespace optimum_compile {
namespace {

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

}  // namespace

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

bool place_outliers(const PackedMatrix& m, int64_t row, uint64_t first, const uint8_t* codes,
                    float* out) {
  const int64_t runs = runs_of(m);
  const int64_t groups = groups_of(m);
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

}  // namespace optimum_compile
