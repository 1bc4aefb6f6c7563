// schedule_fuzz FILE COUNT: reads mutated copies of a scheduler, and asks those that are taken, for the
// sanitizers. Copies have no byte of memory behind their end.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "optimum_compile/runtime/failure.h"
#include "optimum_compile/runtime/schedule.h"

using namespace optimum_compile;

namespace {

uint64_t state = 0x9E3779B97F4A7C15u;

size_t below(size_t n) {  // xorshift64*
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return n == 0 ? 0 : static_cast<size_t>(state * 0x2545F4914F6CDD1Du >> 16) % n;
}

std::vector<uint8_t> mutated(const std::vector<uint8_t>& seed) {
  std::vector<uint8_t> out(seed);
  const char kLetters[] = "0123456789{}[]\",: \\x";
  for (size_t i = 0; i <= below(3); ++i) {
    const bool head = below(4) != 0;
    const size_t at = below(head && out.size() > 700 ? 700 : out.size());
    switch (below(4)) {
      case 0: out[at] = static_cast<uint8_t>(kLetters[below(sizeof kLetters - 1)]); break;
      case 1: out[at] = static_cast<uint8_t>(below(256)); break;
      case 2: out.erase(out.begin() + static_cast<std::ptrdiff_t>(at)); break;
      default: out.resize(at + 1); break;
    }
  }
  return out;
}

// Asks it with caches of its own sizes, in fp16 and in codes.
void ask(const Schedule& s) {
  const int64_t tokens = 70;
  for (const int32_t bits : {16, 2}) {
    KvSpec keys{bits, KvRole::keys, s.heads, 96, s.width, 8, 8, 2};
    KvSpec values{bits, KvRole::values, s.heads, 96, s.value_width, 8, 8, 2};
    std::vector<uint16_t> room[2];
    room[0].assign(static_cast<size_t>(kv_bytes(keys) + 1) / 2, 0x3C00);
    room[1].assign(static_cast<size_t>(kv_bytes(values) + 1) / 2, 0x3800);
    const KvCache k{keys, reinterpret_cast<uint8_t*>(room[0].data()), 2 * room[0].size()};
    const KvCache v{values, reinterpret_cast<uint8_t*>(room[1].data()), 2 * room[1].size()};
    if (schedule_logits(s, k, v, tokens).size() != s.steps.size()) std::abort();
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::FILE* file = std::fopen(argv[1], "rb");
  if (file == nullptr) return 2;
  std::vector<uint8_t> seed(1 << 20);
  seed.resize(std::fread(seed.data(), 1, seed.size(), file));
  std::fclose(file);
  ask(*read_schedule({seed.data(), seed.size()}));
  const long count = std::atol(argv[2]);
  long taken = 0;
  for (long i = 0; i < count; ++i) {
    const std::vector<uint8_t> copy = mutated(seed);
    const std::unique_ptr<uint8_t[]> exact(new uint8_t[copy.size()]);
    std::memcpy(exact.get(), copy.data(), copy.size());
    try {
      const auto found = read_schedule({exact.get(), copy.size()});
      ++taken;
      if (taken <= 50) ask(*found);
    } catch (const Failure&) {
    }
  }
  std::printf("%ld taken of %ld\n", taken, count);
  return 0;
}
