// fuzz SEED.ocm COUNT [FIRST]: opens and runs mutated copies of a program, for the sanitizers.
//
// Every second copy keeps its old checksums, and has to be refused. The others get new ones, so
// that what reads the tables, and what runs, meets the damage too: any status will do. Copies have
// no byte of memory behind their end. Number FIRST + i is always the same copy.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "optimum_compile/optimum_compile.h"
#include "optimum_compile/runtime/mapping.h"

namespace {

using Bytes = std::vector<uint8_t>;

constexpr size_t kHeader = 32, kEntry = 24;
// Sections of a seed in the order of its copies; the last one begins at a multiple of 4096.
constexpr uint32_t kKinds[] = {1, 2, 100, 3};
constexpr size_t kMeta = 0, kProgram = 1, kGpu = 2, kWeights = 3, kSections = 4;
constexpr unsigned kHangSeconds = 60;
constexpr int64_t kSessionBytes = int64_t{1} << 23;
constexpr int kStatuses = OC_DEVICE_ERROR + 1;

struct Random {
  uint64_t state;
  uint64_t next() {  // xorshift64*
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545F4914F6CDD1Du;
  }
  size_t below(size_t n) { return n == 0 ? 0 : static_cast<size_t>(next() >> 16) % n; }
  bool one_in(size_t n) { return below(n) == 0; }
};

uint64_t get(const Bytes& b, size_t at, int size) {
  uint64_t out = 0;
  for (int i = size - 1; i >= 0; --i) out = out << 8 | b[at + static_cast<size_t>(i)];
  return out;
}

void put(Bytes* b, size_t at, int size, uint64_t value) {
  for (int i = 0; i < size; ++i) {
    (*b)[at + static_cast<size_t>(i)] = static_cast<uint8_t>(value >> (8 * i));
  }
}

// A program taken apart. Programs without a section GPU have an empty one here, and none in copies.
struct Parts {
  Bytes section[kSections];
};

Parts take_apart(const Bytes& file) {
  Parts out;
  for (size_t i = 0; i < get(file, 24, 4); ++i) {
    const size_t entry = kHeader + i * kEntry;
    const size_t kind = get(file, entry, 4), offset = get(file, entry + 8, 8),
                 bytes = get(file, entry + 16, 8);
    const auto begin = file.begin() + static_cast<std::ptrdiff_t>(offset);
    for (size_t s = 0; s < kSections; ++s) {
      if (kind != kKinds[s]) continue;
      out.section[s].assign(begin, begin + static_cast<std::ptrdiff_t>(bytes));
    }
  }
  return out;
}

uint32_t crc_of(const Bytes& b, size_t at, size_t size) {
  return optimum_compile::crc32(b.data() + at, size);
}

void repair_header(Bytes* file) {
  const size_t sections = std::min<size_t>(get(*file, 24, 4), 16);
  const size_t end = std::min(kHeader + sections * kEntry, file->size());
  put(file, 12, 4, 0);
  put(file, 12, 4, crc_of(*file, 0, end));
}

Bytes put_together(const Parts& parts) {
  const size_t count = parts.section[kGpu].empty() ? kSections - 1 : kSections;
  Bytes file(kHeader + count * kEntry);
  static const uint8_t kMagic[] = {0x89, 'O', 'C', 'M', 0x0D, 0x0A, 0x1A, 0x0A};
  std::copy(kMagic, kMagic + 8, file.begin());
  put(&file, 8, 4, 1);
  put(&file, 24, 4, count);
  size_t entry = kHeader;
  for (size_t s = 0; s < kSections; ++s) {
    const Bytes& data = parts.section[s];
    if (s == kGpu && data.empty()) continue;
    const size_t alignment = s == kWeights ? 4096 : 64;
    file.resize((file.size() + alignment - 1) / alignment * alignment);
    const size_t offset = file.size();
    file.insert(file.end(), data.begin(), data.end());
    put(&file, entry, 4, kKinds[s]);
    put(&file, entry + 4, 4, crc_of(data, 0, data.size()));
    put(&file, entry + 8, 8, offset);
    put(&file, entry + 16, 8, data.size());
    entry += kEntry;
  }
  put(&file, 16, 8, file.size());
  repair_header(&file);
  return file;
}

uint64_t extreme(Random& r, uint64_t before) {
  static const uint64_t kValues[] = {0,
                                     1,
                                     2,
                                     3,
                                     7,
                                     8,
                                     63,
                                     64,
                                     65,
                                     127,
                                     255,
                                     256,
                                     4095,
                                     4097,
                                     65535,
                                     65536,
                                     0x7FFFFFFF,
                                     0x80000000,
                                     0xFFFFFFFE,
                                     0xFFFFFFFF,
                                     0x100000000,
                                     uint64_t{1} << 45,
                                     uint64_t{1} << 46,
                                     uint64_t{1} << 61,
                                     uint64_t{1} << 62,
                                     0x7FFFFFFFFFFFFFFF,
                                     0x8000000000000000,
                                     0xFFFFFFFFFFFFFFFF,
                                     0xFFFFFFFFFFFFFFC0,
                                     0xC000000000000000};
  switch (r.below(5)) {
    case 0: return before + 1;
    case 1: return before - 1;
    case 2: return before ^ (uint64_t{1} << r.below(64));
    case 3: return r.below(64);
    default: return kValues[r.below(sizeof kValues / sizeof *kValues)];
  }
}

void set_field(Random& r, Bytes* b, size_t first, size_t end) {
  static const int kSizes[] = {1, 2, 4, 4, 4, 8, 8};
  const int size = kSizes[r.below(7)];
  if (end < first + static_cast<size_t>(size)) return;
  const size_t at = first + r.below(end - first - static_cast<size_t>(size) + 1);
  put(b, at, size, extreme(r, get(*b, at, size)));
}

// Another number in an expression that is one constant: a count of 1, the op 0 and the number.
void set_constant(Random& r, Bytes* b) {
  static const uint8_t kConstant[] = {1, 0, 0, 0, 0};
  if (b->size() < 2 * sizeof kConstant + 8) return;
  const auto from = b->begin() + static_cast<std::ptrdiff_t>(r.below(b->size() / 4));
  const auto found = std::search(from, b->end() - 8, kConstant, kConstant + sizeof kConstant);
  const size_t at = static_cast<size_t>(found - b->begin()) + sizeof kConstant;
  if (at + 8 > b->size()) return;
  put(b, at, 8, extreme(r, get(*b, at, 8)));
}

void flip_bits(Random& r, Bytes* b) {
  for (size_t n = 1 + r.below(8); n > 0 && !b->empty(); --n) {
    (*b)[r.below(b->size())] ^= static_cast<uint8_t>(1u << r.below(8));
  }
}

// Drop, double or move some bytes.
void cut_and_paste(Random& r, Bytes* b) {
  if (b->size() < 2) return;
  const size_t at = r.below(b->size()), n = 1 + r.below(std::min<size_t>(b->size() - at, 64));
  const Bytes piece(b->begin() + static_cast<std::ptrdiff_t>(at),
                    b->begin() + static_cast<std::ptrdiff_t>(at + n));
  const size_t how = r.below(3), to = r.below(b->size() - n + 1);
  if (how == 0) {
    b->erase(b->begin() + static_cast<std::ptrdiff_t>(at),
             b->begin() + static_cast<std::ptrdiff_t>(at + n));
  }
  if (how == 1) b->insert(b->begin() + static_cast<std::ptrdiff_t>(to), piece.begin(), piece.end());
  if (how == 2) std::copy(piece.begin(), piece.end(), b->begin() + static_cast<std::ptrdiff_t>(to));
}

// Damage without new checksums.
Bytes damaged(Random& r, Bytes file) {
  switch (r.below(5)) {
    case 0: file.resize(r.below(file.size())); break;
    case 1: file.resize(file.size() + 1 + r.below(200)); break;
    case 2: set_field(r, &file, 0, kHeader + 3 * kEntry); break;
    case 3: cut_and_paste(r, &file); break;
    default: flip_bits(r, &file); break;
  }
  return file;
}

// Damage that checksums do not show.
Bytes forged(Random& r, const Bytes& seed, Parts parts) {
  if (r.one_in(8)) {  // the container
    Bytes file = seed;
    set_field(r, &file, 8, kHeader + 3 * kEntry);
    if (r.one_in(2)) file.resize(r.below(file.size()));
    if (r.one_in(2) && file.size() >= 24) put(&file, 16, 8, file.size());
    if (file.size() >= kHeader) repair_header(&file);
    return file;
  }
  const bool gpu = !parts.section[kGpu].empty() && r.one_in(2);
  Bytes& program = parts.section[gpu ? kGpu : kProgram];
  Bytes& weights = parts.section[kWeights];
  for (size_t n = 1 + r.below(2); n > 0; --n) {
    const size_t what = r.below(10);
    if (what < 3) set_field(r, &program, 0, program.size());
    if (what >= 3 && what < 7) set_constant(r, &program);
    if (what == 7) r.one_in(2) ? flip_bits(r, &program) : cut_and_paste(r, &program);
    if (what == 8) flip_bits(r, &weights);
    if (what == 9) {
      r.one_in(4) ? weights.resize(r.below(weights.size() + 64))
                  : set_field(r, &weights, 0, weights.size());
    }
  }
  if (r.one_in(64)) flip_bits(r, &parts.section[kMeta]);
  return put_together(parts);
}

struct Counts {
  long opened = 0, accepted_damage = 0, ran = 0;
  long open_status[kStatuses] = {}, run_status[kStatuses] = {};
};

oc_status run(const oc_model* model, const oc_info& info, Random& r) {
  oc_session* session = nullptr;
  oc_status status = oc_session_create(model, &session);
  int64_t tokens[9];
  for (int64_t& token : tokens) {
    token =
        static_cast<int64_t>(r.below(static_cast<size_t>(std::min<int64_t>(info.vocabulary, 64))));
  }
  const int64_t counts[] = {3, 1, 9, 1, 1};
  for (int i = 0; i < 5 && status == OC_OK; ++i) {
    const int64_t count = std::min(counts[i], info.context);
    const oc_logits which = static_cast<oc_logits>(r.below(3));
    const size_t rows = which == OC_LOGITS_ALL ? static_cast<size_t>(count) : 1;
    // What a caller would give, up to some bound: a vocabulary
    // of millions is refused for room instead.
    std::vector<float> logits(
        std::min<size_t>(rows * static_cast<size_t>(info.vocabulary), 1 << 16));
    status = oc_session_run(session, tokens, count, which, logits.data(), logits.size());
    if (status == OC_CONTEXT_FULL && count > 1) status = oc_session_reset(session);
  }
  oc_session_destroy(session);
  return status;
}

void ask(const oc_model* model, const oc_info& info) {
  const char* text;
  size_t bytes;
  int64_t planned;
  oc_function function;
  oc_stage stage;
  oc_model_metadata(model, &text, &bytes);
  for (int64_t i = 0; i < info.stages; ++i) oc_model_stage(model, i, &stage);
  for (int64_t i = 0; i < info.functions; ++i) {
    if (oc_model_function(model, i, &function) != OC_OK) continue;
    oc_model_planned_bytes(model, i, function.greatest_seq, INT64_MAX, &planned);
    oc_model_planned_bytes(model, i, function.least_seq, 0, &planned);
  }
}

void try_one(const Bytes& file, bool must_fail, Random& r, Counts* counts) {
  // Exactly as long as the file, so that a sanitizer sees the first byte that is read behind it.
  void* copy = nullptr;
  if (posix_memalign(&copy, 64, std::max<size_t>(file.size(), 1)) != 0) std::abort();
  if (!file.empty()) std::memcpy(copy, file.data(), file.size());
  const oc_options options = {must_fail || r.one_in(2) ? OC_VERIFY_WEIGHTS : 0u, 0, kSessionBytes};
  oc_model* model = nullptr;
  const oc_status opened = oc_model_open_memory(copy, file.size(), &options, &model);
  counts->open_status[opened] += 1;
  if (opened == OC_OK) {
    counts->opened += 1;
    counts->accepted_damage += must_fail;
    oc_info info;
    if (oc_model_info(model, &info) != OC_OK) std::abort();
    ask(model, info);
    counts->run_status[run(model, info, r)] += 1;
  }
  oc_model_close(model);
  std::free(copy);
}

bool read_file(const char* path, Bytes* out) {
  FILE* file = std::fopen(path, "rb");
  if (file == nullptr) return false;
  uint8_t block[65536];
  while (const size_t n = std::fread(block, 1, sizeof block, file)) {
    out->insert(out->end(), block, block + n);
  }
  std::fclose(file);
  return out->size() > kHeader + 3 * kEntry;
}

void print(const char* what, const long* counts) {
  std::printf("%s:", what);
  for (int i = 0; i < kStatuses; ++i) {
    if (counts[i] > 0) {
      std::printf("  %ld %s", counts[i], oc_status_text(static_cast<oc_status>(i)));
    }
  }
  std::printf("\n");
}

}  // namespace

// A size beyond what the sanitizer's allocator gives is an answer, as it is without it.
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }

int main(int argc, char** argv) {
  Bytes seed;
  if (argc < 3 || !read_file(argv[1], &seed)) {
    std::fprintf(stderr, "usage: fuzz SEED.ocm COUNT [FIRST]\n");
    return 2;
  }
  const long count = std::atol(argv[2]), first = argc > 3 ? std::atol(argv[3]) : 0;
  const Parts parts = take_apart(seed);
  Counts counts;
  Random fresh{1};
  try_one(seed, false, fresh, &counts);
  if (counts.run_status[OC_OK] != 1) {
    std::fprintf(stderr, "the program itself does not run: %s\n", oc_last_error());
    return 1;
  }
  counts = Counts();
  double slowest = 0;
  for (long i = first; i < first + count; ++i) {
    Random r{0x9E3779B97F4A7C15u * static_cast<uint64_t>(i + 1)};
    const bool keeps_checksums = i % 2 == 0;
    const Bytes file = keeps_checksums ? damaged(r, seed) : forged(r, seed, parts);
    if (file == seed) continue;
    alarm(kHangSeconds);  // a copy that never ends ends the program
    const auto began = std::chrono::steady_clock::now();
    const long accepted = counts.accepted_damage;
    try_one(file, keeps_checksums, r, &counts);
    if (counts.accepted_damage > accepted) std::printf("copy %ld is damaged and was opened\n", i);
    slowest = std::max(
        slowest, std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  }
  alarm(0);
  print("opened", counts.open_status);
  print("ran", counts.run_status);
  std::printf("slowest copy: %.3f s\n", slowest);
  return counts.accepted_damage == 0 ? 0 : 1;
}
