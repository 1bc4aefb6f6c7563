// The outer form of a program file: header, section table, checksums.
#ifndef OPTIMUM_COMPILE_RUNTIME_CONTAINER_H
#define OPTIMUM_COMPILE_RUNTIME_CONTAINER_H

#include <cstddef>
#include <cstdint>

namespace optimum_compile {

// A run of bytes that somebody else holds.
struct Bytes {
  const uint8_t* data = nullptr;
  size_t size = 0;
};

struct Container {
  Bytes metadata, program, weights;
  Bytes gpu;  // nothing where there is no such section
};

// Find and check the sections; the weights are read only where their checksum is asked for.
Container open_container(Bytes file, bool verify_weights);

// Whether the bytes are UTF-8 without NUL.
bool is_text(const uint8_t* data, size_t size);

// Reads little-endian numbers one after another, never behind the end.
class Cursor {
 public:
  explicit Cursor(Bytes bytes) : at_(bytes.data), left_(bytes.size) {}

  uint8_t u8() { return take(1)[0]; }
  uint16_t u16() { return static_cast<uint16_t>(number(2)); }
  uint32_t u32() { return static_cast<uint32_t>(number(4)); }
  uint64_t u64() { return number(8); }
  int64_t i64() { return static_cast<int64_t>(number(8)); }
  double f64();
  Bytes text();  // at most 4096 bytes

  // The count of a table whose entries take at least `least` bytes each: it is refused before
  // anything is allocated for it if they cannot follow.
  uint32_t count(const char* what, size_t least);

  size_t left() const { return left_; }
  const uint8_t* take(size_t bytes);

 private:
  uint64_t number(int bytes);

  const uint8_t* at_;
  size_t left_;
};

}  // namespace optimum_compile

#endif
