// bench [SECONDS [TOKENS]]: weights a second of every kind of weight, one line each: kind, rows, columns, tokens, bits of a
// weight, nanoseconds of the median product. TOKENS: no more than so many. OC_SIMD chooses the instructions.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <random>
#include <vector>

#include "optimum_compile/bits.h"
#include "optimum_compile/low_bit.h"
#include "optimum_compile/nested.h"
#include "optimum_compile/rows.h"
#include "optimum_compile/vectors.h"

using namespace optimum_compile;

namespace {

struct Shape {
  int64_t rows, columns;
};
constexpr Shape kShapes[] = {{256, 256}, {2048, 2048}, {2048, 8192}};
constexpr int64_t kTokens[] = {1, 8, 64};

std::mt19937 random_numbers(7);

std::vector<uint8_t> bytes(int64_t n) {
  std::vector<uint8_t> out(static_cast<size_t>(n));
  for (uint8_t& b : out) b = static_cast<uint8_t>(random_numbers());
  return out;
}

std::vector<uint16_t> halves(int64_t n) {
  std::vector<uint16_t> out(static_cast<size_t>(n));
  for (uint16_t& h : out) h = static_cast<uint16_t>(0x2000 + random_numbers() % 0x800);  // about 0.01
  return out;
}

// Time of this thread on its core: what others run on a busy machine does not count.
int64_t spent_ns() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return int64_t{1000000000} * now.tv_sec + now.tv_nsec;
}

int64_t median_ns(double seconds, const std::function<void()>& call) {
  call();
  std::vector<int64_t> times;
  const int64_t begin = spent_ns();
  while (times.size() < 5 || spent_ns() - begin < static_cast<int64_t>(seconds * 1e9)) {
    const int64_t before = spent_ns();
    call();
    times.push_back(spent_ns() - before);
  }
  std::nth_element(times.begin(), times.begin() + static_cast<int64_t>(times.size() / 2), times.end());
  return times[times.size() / 2];
}

// What every kind has in common: x, out, and the line that is printed.
struct Bench {
  double seconds;
  Shape shape;
  int64_t tokens;
  std::vector<float> x, out;

  Bench(double s, Shape sh, int64_t t)
      : seconds(s),
        shape(sh),
        tokens(t),
        x(static_cast<size_t>(t * sh.columns)),
        out(static_cast<size_t>(t * sh.rows)) {
    for (float& number : x) number = static_cast<float>(random_numbers() % 2001) / 1000.0f - 1.0f;
  }

  void print(const char* kind, double bits, const std::function<void()>& call) {
    const long long ns = median_ns(seconds, call);
    std::printf("%s %lld %lld %lld %.3f %lld\n", kind, static_cast<long long>(shape.rows),
                static_cast<long long>(shape.columns), static_cast<long long>(tokens), bits, ns);
    std::fflush(stdout);
  }

  void floats() {
    std::vector<float> w(static_cast<size_t>(shape.rows * shape.columns));
    for (float& number : w) number = static_cast<float>(random_numbers() % 2001) / 1000.0f - 1.0f;
    print("f32", 32, [&] {
      for (int64_t r = 0; r < shape.rows; ++r) {
        for (int64_t t = 0; t < tokens; ++t) {
          out[static_cast<size_t>(t * shape.rows + r)] =
              dot(x.data() + t * shape.columns, w.data() + r * shape.columns, shape.columns);
        }
      }
    });
    const std::vector<uint16_t> h = halves(shape.rows * shape.columns);
    print("f16", 16, [&] {
      linear_f16(h.data(), shape.rows, shape.columns, x.data(), tokens, out.data());
    });
  }

  void grid(const char* kind, int bits, int64_t group, bool zeros) {
    PackedMatrix m;
    const int64_t groups = (shape.columns + group - 1) / group * shape.rows;
    const std::vector<uint8_t> codes = bytes(shape.rows * shape.columns * bits / 8), z = bytes(groups);
    const std::vector<uint16_t> scales = halves(groups);
    m.codes = codes.data(), m.code_bytes = codes.size(), m.bits = bits;
    m.rows = shape.rows, m.columns = shape.columns, m.group = group;
    m.scales = scales.data(), m.scale_entries = scales.size();
    if (zeros) m.zeros = z.data(), m.zero_bytes = z.size(), m.zero_bits = bits;
    print(kind, bits + (16.0 + (zeros ? bits : 0)) / static_cast<double>(std::min(group, shape.columns)),
          [&] { linear(m, x.data(), tokens, out.data()); });
  }

  void palette(const char* kind, int bits) {
    PackedMatrix m;
    m.rows_per_table = 16;
    const std::vector<uint8_t> codes = bytes(shape.rows * shape.columns * bits / 8);
    const std::vector<uint16_t> table = halves((shape.rows / 16) << bits);
    m.codes = codes.data(), m.code_bytes = codes.size(), m.bits = bits;
    m.rows = shape.rows, m.columns = shape.columns;
    m.table = table.data(), m.table_entries = table.size();
    print(kind, bits, [&] { linear(m, x.data(), tokens, out.data()); });
  }

  void nested(const char* kind, int width) {
    NestedMatrix m;
    const std::vector<uint8_t> planes = bytes(shape.rows * shape.columns / 8 * 4);
    const std::vector<uint16_t> tables = halves(shape.rows / 16 * 28);
    m.planes = planes.data(), m.plane_bytes = planes.size();
    m.tables = tables.data(), m.table_entries = tables.size();
    m.seed_bits = 2, m.bits = 4, m.rows = shape.rows, m.columns = shape.columns, m.rows_per_table = 16;
    print(kind, width, [&] { linear(m, width, x.data(), tokens, out.data()); });
  }

  void vectors(const char* kind, int bits, int width) {
    VectorMatrix m;
    const std::vector<uint8_t> indices = bytes(shape.rows * shape.columns / width * bits / 8);
    const std::vector<uint16_t> table = halves(static_cast<int64_t>(width) << bits), scales = halves(shape.rows);
    m.indices = indices.data(), m.index_bytes = indices.size(), m.bits = bits, m.width = width;
    m.rows = shape.rows, m.columns = shape.columns, m.group = shape.columns;
    m.table = table.data(), m.table_entries = table.size();
    m.scales = scales.data(), m.scale_entries = scales.size();
    print(kind, static_cast<double>(bits) / width, [&] { linear(m, x.data(), tokens, out.data()); });
  }
};

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 0.1;
  const int64_t most = argc > 2 ? std::atoll(argv[2]) : 64;
  for (const Shape shape : kShapes) {
    if (argc > 3 && shape.columns != std::atoll(argv[3])) continue;
    for (const int64_t tokens : kTokens) {
      if (tokens > most) continue;
      Bench b(seconds, shape, tokens);
      b.floats();
      b.grid("int8:channel", 8, shape.columns, false);
      b.grid("int4:g32", 4, 32, false);
      b.grid("uint4:g32", 4, 32, true);
      b.palette("lut6", 6);
      b.palette("lut4", 4);
      b.palette("lut3", 3);
      b.palette("lut2", 2);
      b.nested("nested@4", 4);
      b.nested("nested@3", 3);
      b.nested("nested@2", 2);
      b.vectors("vec8x2", 8, 2);
      b.vectors("vec6x2", 6, 2);
      b.vectors("vec8x4", 8, 4);
    }
  }
}
