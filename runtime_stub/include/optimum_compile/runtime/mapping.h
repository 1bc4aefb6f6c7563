// The bytes of a program file: mapped, or the caller's.
#ifndef OPTIMUM_COMPILE_RUNTIME_MAPPING_H
#define OPTIMUM_COMPILE_RUNTIME_MAPPING_H

#include <cstddef>
#include <cstdint>

namespace optimum_compile {

// Read-only bytes. They begin at a multiple of 64.
class Mapping {
 public:
  explicit Mapping(const char* path);
  Mapping(const void* data, size_t bytes);
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
  bool mapped_ = false;
};

// crc32 as zlib counts it; `crc` is that of the bytes before.
uint32_t crc32(const uint8_t* data, size_t bytes, uint32_t crc = 0);

}  // namespace optimum_compile

#endif
