// Every kernel on rows that end where their memory ends, under the sanitizers; products against plain code.
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include "optimum_compile/low_bit.h"
#include "optimum_compile/nested.h"
#include "optimum_compile/vectors.h"

using namespace optimum_compile;

namespace {

std::mt19937 random_numbers(3);
int failures = 0;

template <typename T>
std::vector<T> some(int64_t n, uint32_t base, uint32_t range) {
  std::vector<T> out(static_cast<size_t>(n));
  for (T& item : out) item = static_cast<T>(base + random_numbers() % range);
  return out;
}
std::vector<uint8_t> bytes(int64_t n) { return some<uint8_t>(n, 0, 256); }
std::vector<uint16_t> halves(int64_t n) { return some<uint16_t>(n, 0x2800, 0x1000); }

// `multiply` (x, count, out) with the instructions `name` and in plain code.
template <typename Multiply>
void compare(const char* name, const char* kind, int64_t rows, int64_t columns, Multiply multiply) {
  for (const int64_t count : {1, 2, 7}) {
    std::vector<float> x(static_cast<size_t>(count * columns));
    for (float& number : x) number = static_cast<float>(random_numbers() % 2001) / 1000.0f - 1.0f;
    std::vector<float> out(static_cast<size_t>(count * rows)), plain(out.size());
    if (!use_simd(name) || multiply(x.data(), count, out.data()) != Status::ok) ++failures;
    if (!use_simd("portable") || multiply(x.data(), count, plain.data()) != Status::ok) ++failures;
    for (size_t i = 0; i < out.size(); ++i) {
      if (std::fabs(out[i] - plain[i]) <= 1e-3f * std::sqrt(static_cast<float>(columns)) * 16) continue;
      std::printf("%s %s (%lld, %lld) x %lld: %g, plain %g\n", name, kind, static_cast<long long>(rows),
                  static_cast<long long>(columns), static_cast<long long>(count), out[i], plain[i]);
      ++failures;
      return;
    }
  }
}

void packed(const char* name, int64_t rows, int64_t columns, int bits, int64_t group, bool zeros) {
  PackedMatrix m;
  const std::vector<uint8_t> codes = bytes((rows * columns * bits + 7) / 8);
  const int64_t groups = group == 0 ? 0 : rows * ((columns + group - 1) / group);
  const std::vector<uint16_t> numbers = halves(group == 0 ? ((rows + 1) / 2) << bits : groups);
  const std::vector<uint8_t> zero_codes = bytes((groups * bits + 7) / 8);
  m.codes = codes.data(), m.code_bytes = codes.size(), m.bits = bits, m.rows = rows, m.columns = columns;
  if (group == 0) {
    m.table = numbers.data(), m.table_entries = numbers.size(), m.rows_per_table = 2;
  } else {
    m.scales = numbers.data(), m.scale_entries = numbers.size(), m.group = group;
    if (zeros) m.zeros = zero_codes.data(), m.zero_bytes = zero_codes.size(), m.zero_bits = bits;
  }
  compare(name, group == 0 ? "palette" : "grid", rows, columns,
          [&](const float* x, int64_t count, float* out) { return linear(m, x, count, out); });
}

void nested(const char* name, int64_t rows, int64_t columns, int width) {
  NestedMatrix m;
  const std::vector<uint8_t> planes = bytes((rows * columns + 7) / 8 * 4);
  const std::vector<uint16_t> tables = halves((rows + 1) / 2 * 28);
  m.planes = planes.data(), m.plane_bytes = planes.size();
  m.tables = tables.data(), m.table_entries = tables.size();
  m.seed_bits = 2, m.bits = 4, m.rows = rows, m.columns = columns, m.rows_per_table = 2;
  compare(name, "nested", rows, columns,
          [&](const float* x, int64_t count, float* out) { return linear(m, width, x, count, out); });
}

void vectors(const char* name, int64_t rows, int64_t columns, int bits, int width, int64_t group) {
  VectorMatrix m;
  const std::vector<uint8_t> indices = bytes((rows * columns / width * bits + 7) / 8);
  const std::vector<uint16_t> table = halves(static_cast<int64_t>(width) << bits);
  const std::vector<uint16_t> scales = halves(rows * ((columns + group - 1) / group));
  m.indices = indices.data(), m.index_bytes = indices.size(), m.bits = bits, m.width = width;
  m.rows = rows, m.columns = columns, m.group = group;
  m.table = table.data(), m.table_entries = table.size();
  m.scales = scales.data(), m.scale_entries = scales.size();
  compare(name, "vectors", rows, columns,
          [&](const float* x, int64_t count, float* out) { return linear(m, x, count, out); });
}

void all(const char* name, int64_t rows, int64_t columns) {
  for (const int bits : {2, 3, 4, 6}) packed(name, rows, columns, bits, 0, false);
  for (const int64_t group : {8, 16, 32, 64, 128, 24, 5, 4096}) {
    for (const int bits : {4, 8}) {
      packed(name, rows, columns, bits, group, false);
      packed(name, rows, columns, bits, group, true);
    }
  }
  for (const int width : {2, 3, 4}) nested(name, rows, columns, width);
  const std::vector<uint16_t> w = halves(rows * columns);
  compare(name, "half", rows, columns, [&](const float* x, int64_t count, float* out) {
    return linear_f16(w.data(), rows, columns, x, count, out);
  });
  if (columns % 8 != 0) return;
  for (const int64_t group : {int64_t{8}, int64_t{64}, columns}) {
    vectors(name, rows, columns, 8, 4, group);
    vectors(name, rows, columns, 8, 2, group);
    vectors(name, rows, columns, 6, 2, group);
  }
}

}  // namespace

int main() {
  int sets = 0;
  for (const char* name : {"avx2", "avx512", "neon"}) {
    if (!use_simd(name)) continue;
    ++sets;
    for (const int64_t columns : {1, 4, 8, 16, 24, 31, 32, 36, 40, 64, 96, 104, 128, 160, 256, 264, 288, 512, 544}) {
      all(name, 1 + static_cast<int64_t>(random_numbers() % 6), columns);
    }
  }
  std::printf("%d sets, %d failures\n", sets, failures);
  return failures == 0 ? 0 : 1;
}
