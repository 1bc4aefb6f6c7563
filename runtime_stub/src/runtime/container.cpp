#include "optimum_compile/runtime/container.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "optimum_compile/runtime/failure.h"
#include "optimum_compile/runtime/mapping.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "weights are used as they lie in the file, which is little-endian"
#endif

namespace optimum_compile {
namespace {

constexpr uint8_t kMagic[8] = {0x89, 'O', 'C', 'M', 0x0D, 0x0A, 0x1A, 0x0A};
constexpr uint32_t kVersion = 1;
constexpr uint32_t kMeta = 1, kProgram = 2, kWeights = 3, kPrivate = 100, kGpu = 100;
constexpr size_t kHeaderBytes = 32, kEntryBytes = 24, kCrcAt = 12;
constexpr uint32_t kMostSections = 16;
constexpr size_t kMostText = 4096;

struct Section {
  uint32_t kind, crc;
  uint64_t offset, bytes;
};

const char* name_of(uint32_t kind) {
  switch (kind) {
    case kMeta: return "META";
    case kProgram: return "PROGRAM";
    case kWeights: return "WEIGHTS";
    case kGpu: return "GPU";
  }
  return "a private section";
}

// The checksum of the header is counted with its own field as zero.
uint32_t header_crc(const uint8_t* data, size_t bytes) {
  const uint8_t zero[4] = {0, 0, 0, 0};
  uint32_t crc = crc32(data, kCrcAt);
  crc = crc32(zero, 4, crc);
  return crc32(data + kCrcAt + 4, bytes - kCrcAt - 4, crc);
}

std::vector<Section> read_header(Bytes file) {
  if (file.size < kHeaderBytes || std::memcmp(file.data, kMagic, sizeof kMagic) != 0) {
    fail(OC_BAD_FILE, "this is no native program: the first bytes are not those of one");
  }
  Cursor in(file);
  in.take(sizeof kMagic);
  const uint32_t version = in.u32(), crc = in.u32();
  const uint64_t bytes = in.u64();
  const uint32_t sections = in.u32(), reserved = in.u32();
  if (version != kVersion) {
    fail(OC_BAD_VERSION, "version %u of the format; this runtime reads version %u", version,
         kVersion);
  }
  if (bytes != file.size) {
    fail(OC_BAD_FILE, "the file has %zu bytes, its header says %llu", file.size,
         static_cast<unsigned long long>(bytes));
  }
  if (sections < 1 || sections > kMostSections || reserved != 0) {
    fail(OC_BAD_FILE, "the header says %u sections, flags %u", sections, reserved);
  }
  const size_t end = kHeaderBytes + sections * kEntryBytes;
  if (end > file.size) fail(OC_BAD_FILE, "the file ends inside its section table");
  if (header_crc(file.data, end) != crc) {
    fail(OC_BAD_FILE, "the header is damaged: its checksum differs");
  }
  std::vector<Section> found(sections);
  for (Section& s : found) {
    s.kind = in.u32();
    s.crc = in.u32();
    s.offset = in.u64();
    s.bytes = in.u64();
  }
  return found;
}

void check_zeros(Bytes file, uint64_t begin, uint64_t end) {
  for (uint64_t i = begin; i < end; ++i) {
    if (file.data[i] != 0) {
      fail(OC_BAD_FILE, "byte %llu lies between sections and is not zero",
           static_cast<unsigned long long>(i));
    }
  }
}

// Sections in the order of the file: inside it, apart, aligned, zeros between.
void check_places(Bytes file, std::vector<Section> sections) {
  const auto by_offset = [](const Section& a, const Section& b) {
    return a.offset != b.offset ? a.offset < b.offset : a.bytes < b.bytes;
  };
  uint64_t at = kHeaderBytes + sections.size() * kEntryBytes;
  std::sort(sections.begin(), sections.end(), by_offset);
  for (const Section& s : sections) {
    if (s.offset > file.size || s.bytes > file.size - s.offset) {
      fail(OC_BAD_FILE, "%s does not lie inside the file", name_of(s.kind));
    }
    if (s.offset < at) fail(OC_BAD_FILE, "%s overlaps what is before it", name_of(s.kind));
    if (s.offset % (s.kind == kWeights ? 4096 : 64) != 0) {
      fail(OC_BAD_FILE, "%s is badly aligned", name_of(s.kind));
    }
    check_zeros(file, at, s.offset);
    at = s.offset + s.bytes;
  }
  check_zeros(file, at, file.size);
}

}  // namespace

Container open_container(Bytes file, bool verify_weights) {
  const std::vector<Section> sections = read_header(file);
  check_places(file, sections);
  Container out;
  Bytes* const parts[] = {nullptr, &out.metadata, &out.program, &out.weights};
  for (const Section& s : sections) {
    const Bytes bytes{file.data + s.offset, static_cast<size_t>(s.bytes)};
    if (s.kind < kMeta || (s.kind > kWeights && s.kind < kPrivate)) {
      fail(OC_BAD_VERSION, "a section of the kind %u; this runtime knows 1 to 3", s.kind);
    }
    const bool bulk = s.kind >= kWeights && s.kind != kGpu;
    if ((!bulk || verify_weights) && crc32(bytes.data, bytes.size) != s.crc) {
      fail(OC_BAD_FILE, "%s is damaged: its checksum differs", name_of(s.kind));
    }
    if (s.kind > kGpu) continue;
    Bytes* const place = s.kind == kGpu ? &out.gpu : parts[s.kind];
    if (place->data != nullptr) fail(OC_BAD_FILE, "two sections %s", name_of(s.kind));
    *place = bytes;
  }
  for (uint32_t kind = kMeta; kind <= kWeights; ++kind) {
    if (parts[kind]->data == nullptr) fail(OC_BAD_FILE, "no section %s", name_of(kind));
  }
  if (!is_text(out.metadata.data, out.metadata.size)) fail(OC_BAD_FILE, "META is not UTF-8");
  return out;
}

bool is_text(const uint8_t* data, size_t size) {
  for (size_t i = 0; i < size;) {
    const uint8_t first = data[i];
    if (first == 0) return false;
    const size_t more = first < 0x80   ? 0
                        : first < 0xC2 ? 4
                        : first < 0xE0 ? 1
                        : first < 0xF0 ? 2
                                       : 3;
    if (more > 3 || first > 0xF4 || more >= size - i) return false;
    uint32_t code = more == 0 ? first : first & (0x3Fu >> more);
    for (size_t j = 1; j <= more; ++j) {
      if ((data[i + j] & 0xC0u) != 0x80) return false;
      code = code << 6 | (data[i + j] & 0x3Fu);
    }
    const bool longer = (more == 2 && code < 0x800) || (more == 3 && code < 0x10000);
    if (longer || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
    i += more + 1;
  }
  return true;
}

const uint8_t* Cursor::take(size_t bytes) {
  if (bytes > left_) fail(OC_BAD_FILE, "a section ends inside a table");
  const uint8_t* at = at_;
  at_ += bytes;
  left_ -= bytes;
  return at;
}

uint64_t Cursor::number(int bytes) {
  const uint8_t* in = take(static_cast<size_t>(bytes));
  uint64_t out = 0;
  for (int i = bytes - 1; i >= 0; --i) out = out << 8 | in[i];
  return out;
}

double Cursor::f64() {
  const uint64_t bits = number(8);
  double out;
  std::memcpy(&out, &bits, 8);
  return out;
}

Bytes Cursor::text() {
  const uint32_t size = u32();
  if (size > kMostText) {
    fail(OC_BAD_FILE, "a text of %u bytes; at most %zu are allowed", size, kMostText);
  }
  const uint8_t* data = take(size);
  if (!is_text(data, size)) fail(OC_BAD_FILE, "a text that is not UTF-8");
  return {data, size};
}

uint32_t Cursor::count(const char* what, size_t least) {
  const uint32_t n = u32();
  if (n > left_ / least) fail(OC_BAD_FILE, "%u %s cannot follow in %zu bytes", n, what, left_);
  return n;
}

}  // namespace optimum_compile
