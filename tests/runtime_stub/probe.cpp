// Every width and many odd shapes on buffers of exactly the right size, for the sanitizers.
#include <cstdio>
#include <vector>

#include "optimum_compile/low_bit.h"

using namespace optimum_compile;

int main() {
  int products = 0, refused = 0;
  for (int bits = 1; bits <= 8; ++bits) {
    for (int64_t rows : {1, 3, 8}) {
      for (int64_t columns : {1, 7, 31, 32, 33, 64, 129}) {
        for (int64_t group : {1, 8, 32, 200}) {
          const size_t code_bytes = static_cast<size_t>((rows * columns * bits + 7) / 8);
          std::vector<uint8_t> codes(code_bytes, 0xA5);
          std::vector<float> x(static_cast<size_t>(2 * columns), 0.5f), out(static_cast<size_t>(2 * rows));
          const int64_t groups = (columns + group - 1) / group;
          std::vector<uint16_t> scales(static_cast<size_t>(rows * groups), 0x3800);
          std::vector<uint8_t> zeros(static_cast<size_t>((rows * groups * bits + 7) / 8), 1);
          PackedMatrix m;
          m.codes = codes.data();
          m.code_bytes = codes.size();
          m.bits = bits;
          m.rows = rows;
          m.columns = columns;
          m.scales = scales.data();
          m.scale_entries = scales.size();
          m.zeros = zeros.data();
          m.zero_bytes = zeros.size();
          m.zero_bits = bits;
          m.group = group;
          refused += linear(m, x.data(), 2, out.data()) != Status::ok;
          ++products;
          // Scales of two levels, one outlier in the last column of each row, all of the right size.
          const int level_bits = bits < 6 ? 6 : bits;
          std::vector<uint8_t> levels(
              static_cast<size_t>((rows * groups * level_bits + 7) / 8), 0x5A);
          std::vector<uint16_t> supers(static_cast<size_t>(rows), 0x1400);
          const int64_t runs = (columns + 127) / 128;
          std::vector<uint8_t> counts(static_cast<size_t>(rows * runs), 0);
          for (int64_t r = 0; r < rows; ++r) counts[static_cast<size_t>((r + 1) * runs - 1)] = 1;
          std::vector<uint8_t> places(static_cast<size_t>((rows * 7 + 7) / 8), 0);
          std::vector<uint16_t> values(static_cast<size_t>(rows), 0x3C00);
          std::vector<uint8_t> fractions(static_cast<size_t>(rows * groups), 0x77);
          m.zeros = fractions.data();
          m.zero_bytes = fractions.size();
          m.zero_bits = 8;
          m.scales = nullptr;
          m.scale_entries = 0;
          m.scale_codes = levels.data();
          m.scale_code_bytes = levels.size();
          m.scale_bits = level_bits;
          m.supers = supers.data();
          m.super_entries = supers.size();
          m.counts = counts.data();
          m.count_bytes = counts.size();
          m.places = places.data();
          m.place_bytes = places.size();
          m.run = 128;
          m.values = values.data();
          m.value_entries = values.size();
          refused += linear(m, x.data(), 2, out.data()) != Status::ok;
          ++products;
          if (bits != 4) continue;
          m.zeros = nullptr;
          m.zero_bytes = 0;
          m.offsets = scales.data();
          m.offset_entries = scales.size();
          refused += linear(m, x.data(), 2, out.data()) != Status::ok;
          ++products;
        }
      }
    }
  }
  std::printf("%d products, %d refused\n", products, refused);
  return 0;
}
