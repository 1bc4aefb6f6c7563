// generate MODEL.ocm --prompt IDS [--count N] [--stop IDS] [--device cpu|vulkan]
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "generator.h"

namespace {

constexpr char kUsage[] =
    "usage: generate MODEL.ocm --prompt IDS [--count N] [--stop IDS] [--device cpu|vulkan]\n"
    "IDS are token ids with commas between; N is 32, the device cpu, unless said.\n";

bool read_ids(const std::string& text, std::vector<int64_t>* out) {
  for (const char* at = text.c_str(); *at != '\0';) {
    char* end = nullptr;
    out->push_back(std::strtoll(at, &end, 10));
    if (end == at || (*end != ',' && *end != '\0')) return false;
    at = *end == ',' ? end + 1 : end;
  }
  return !out->empty();
}

}  // namespace

int main(int argc, char** argv) {
  std::string path, device = "cpu", error;
  std::vector<int64_t> prompt, stops, count = {32};
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const std::string value = i + 1 < argc ? argv[i + 1] : "";
    bool good = true, pair = true;
    if (word == "--prompt") {
      good = read_ids(value, &prompt);
    } else if (word == "--stop") {
      good = read_ids(value, &stops);
    } else if (word == "--count") {
      count.clear();
      good = read_ids(value, &count) && count.size() == 1 && count[0] >= 0;
    } else if (word == "--device") {
      device = value;
    } else {
      good = path.empty() && word[0] != '-';
      path = word;
      pair = false;
    }
    if (!good) {
      std::fputs(kUsage, stderr);
      return 2;
    }
    i += pair ? 1 : 0;
  }
  if (path.empty() || prompt.empty()) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  const auto generator = sample::Generator::open(path, device, &error);
  if (!generator) {
    std::fprintf(stderr, "generate: %s\n", error.c_str());
    return 1;
  }
  std::fprintf(stderr, "on %s, a vocabulary of %" PRId64 ", %" PRId64 " tokens of context\n",
               generator->device().c_str(), generator->info().vocabulary, generator->info().context);
  bool first = true;
  const bool done = generator->generate(prompt, count[0], stops, [&first](int64_t token) {
    std::printf("%s%" PRId64, first ? "" : " ", token);
    std::fflush(stdout);
    first = false;
    return true;
  });
  std::printf("\n");
  if (!done) {
    std::fprintf(stderr, "generate: %s\n", generator->error().c_str());
    return 1;
  }
  std::fprintf(stderr, "%.1f tokens a second\n", generator->speed());
  return 0;
}
