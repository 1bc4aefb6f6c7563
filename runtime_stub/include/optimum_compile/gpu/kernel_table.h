// kernels.bin: the kernels of the runtime, by name, with their modules.
#ifndef OPTIMUM_COMPILE_GPU_KERNEL_TABLE_H
#define OPTIMUM_COMPILE_GPU_KERNEL_TABLE_H

#include <cstdint>
#include <string>
#include <vector>

#include "optimum_compile/runtime/container.h"

namespace optimum_compile::gpu {

// In the order of what they need of a device; a runtime takes the last that it can.
enum Variant { kPlain = 0, kSubgroup, kDot, kVariants };
extern const char* const kVariantNames[kVariants];

constexpr uint32_t kMostParams = 64, kMostBuffers = 12, kMostConstants = 64;

struct KernelEntry {
  std::string name;
  uint32_t crc = 0;  // of its interface
  uint32_t constants = 0, params = 0, buffers = 0;
  uint32_t written = 0;  // bit i: buffer i is written
  Bytes modules[kVariants];
};

class KernelTable {
 public:
  KernelTable() = default;
  // Copies the bytes; a Failure where they are no table.
  explicit KernelTable(Bytes file);

  const KernelEntry* find(const std::string& name) const;
  const std::vector<KernelEntry>& entries() const { return entries_; }

 private:
  std::vector<uint32_t> held_;  // as words, which modules consist of
  std::vector<KernelEntry> entries_;
};

// What was compiled into this runtime; empty where it was built without.
Bytes built_in_kernels();

}  // namespace optimum_compile::gpu

#endif
