#include "optimum_compile/runtime/mapping.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "optimum_compile/runtime/failure.h"

namespace optimum_compile {
namespace {

constexpr uintptr_t kAlignment = 64;

// Eight tables, so that eight bytes take eight lookups that do not wait for each other.
struct CrcTables {
  CrcTables() {
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t crc = i;
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) ? 0xEDB88320u : 0u);
      entries[0][i] = crc;
    }
    for (int t = 1; t < 8; ++t) {
      for (uint32_t i = 0; i < 256; ++i) {
        const uint32_t before = entries[t - 1][i];
        entries[t][i] = (before >> 8) ^ entries[0][before & 0xffu];
      }
    }
  }
  uint32_t entries[8][256];
};

// Closes the descriptor however the constructor ends: a mapping does not need it.
struct Descriptor {
  explicit Descriptor(int number) : fd(number) {}
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
  const int fd;
};

}  // namespace

void fail(oc_status status, const char* format, ...) {
  char text[500];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  throw Failure{status, text};
}

Mapping::Mapping(const char* path) {
  const Descriptor file(open(path, O_RDONLY | O_CLOEXEC));
  if (file.fd < 0) fail(OC_NO_FILE, "%s: %s", path, std::strerror(errno));
  struct stat found;
  if (fstat(file.fd, &found) != 0) fail(OC_NO_FILE, "%s: %s", path, std::strerror(errno));
  if (!S_ISREG(found.st_mode)) fail(OC_NO_FILE, "%s is not a regular file", path);
  if (found.st_size <= 0) fail(OC_BAD_FILE, "%s is empty", path);
  size_ = static_cast<size_t>(found.st_size);
  void* at = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (at == MAP_FAILED) fail(OC_NO_FILE, "%s cannot be mapped: %s", path, std::strerror(errno));
  data_ = static_cast<const uint8_t*>(at);
  mapped_ = true;
}

Mapping::Mapping(const void* data, size_t bytes)
    : data_(static_cast<const uint8_t*>(data)), size_(bytes) {
  if (reinterpret_cast<uintptr_t>(data) % kAlignment != 0) {
    fail(OC_BAD_ARGUMENT, "the program does not begin at a multiple of 64 in memory");
  }
}

Mapping::~Mapping() {
  if (mapped_) munmap(const_cast<uint8_t*>(data_), size_);
}

uint32_t crc32(const uint8_t* data, size_t bytes, uint32_t crc) {
  static const CrcTables tables;
  const auto& t = tables.entries;
  crc = ~crc;
  for (; bytes >= 8; bytes -= 8, data += 8) {
    const uint32_t low =
        crc ^ (data[0] | static_cast<uint32_t>(data[1]) << 8 |
               static_cast<uint32_t>(data[2]) << 16 | static_cast<uint32_t>(data[3]) << 24);
    crc = t[7][low & 0xffu] ^ t[6][(low >> 8) & 0xffu] ^ t[5][(low >> 16) & 0xffu] ^
          t[4][low >> 24] ^ t[3][data[4]] ^ t[2][data[5]] ^ t[1][data[6]] ^ t[0][data[7]];
  }
  for (; bytes > 0; --bytes, ++data) crc = (crc >> 8) ^ t[0][(crc ^ *data) & 0xffu];
  return ~crc;
}

}  // namespace optimum_compile
