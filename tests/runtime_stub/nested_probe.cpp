// Every width of every nested weight on buffers of exactly the right size, for the sanitizers.
#include <cstdio>
#include <vector>

#include "optimum_compile/nested.h"

using namespace optimum_compile;

int main() {
  int products = 0, refused = 0;
  for (int bits = 1; bits <= 8; ++bits) {
    for (int seed = 1; seed <= bits; ++seed) {
      for (int64_t rows : {1, 3, 8}) {
        for (int64_t columns : {1, 7, 8, 33, 64}) {
          for (int64_t per : {1, 2, 9}) {
            const size_t plane = static_cast<size_t>((rows * columns + 7) / 8);
            const size_t tables = static_cast<size_t>((rows + per - 1) / per);
            std::vector<uint8_t> planes(plane * static_cast<size_t>(bits), 0xA5);
            std::vector<uint16_t> entries(tables * ((size_t{2} << bits) - (size_t{1} << seed)), 0x3800);
            std::vector<float> x(static_cast<size_t>(2 * columns), 0.5f);
            std::vector<float> out(static_cast<size_t>(2 * rows));
            NestedMatrix m;
            m.planes = planes.data();
            m.plane_bytes = planes.size();
            m.tables = entries.data();
            m.table_entries = entries.size();
            m.seed_bits = seed;
            m.bits = bits;
            m.rows = rows;
            m.columns = columns;
            m.rows_per_table = per;
            for (int width = seed; width <= bits; ++width) {
              refused += linear(m, width, x.data(), 2, out.data()) != Status::ok;
              ++products;
            }
          }
        }
      }
    }
  }
  std::printf("%d products, %d refused\n", products, refused);
  return 0;
}
