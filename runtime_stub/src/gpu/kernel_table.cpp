#include "optimum_compile/gpu/kernel_table.h"

#include <cstring>

#include "optimum_compile/runtime/failure.h"

namespace optimum_compile::gpu {
namespace {

constexpr uint8_t kMagic[8] = {'O', 'C', 'K', 'E', 'R', 'N', 'E', 'L'};
constexpr uint32_t kVersion = 1, kSpirv = 0x07230203;
constexpr size_t kNameBytes = 32, kEntryBytes = kNameBytes + 11 * 4;

Bytes module_at(Bytes file, uint32_t offset, uint32_t bytes, const char* kernel) {
  if (bytes == 0) return {};
  const bool inside = offset <= file.size && bytes <= file.size - offset;
  if (!inside || offset % 4 != 0 || bytes % 4 != 0 || bytes < 20) {
    fail(OC_BAD_FILE, "kernel %s: its module does not lie inside the table", kernel);
  }
  uint32_t magic = 0;
  std::memcpy(&magic, file.data + offset, 4);
  if (magic != kSpirv) fail(OC_BAD_FILE, "kernel %s: its module is no SPIR-V", kernel);
  return {file.data + offset, bytes};
}

}  // namespace

const char* const kVariantNames[kVariants] = {"plain", "subgroup", "dot"};

KernelTable::KernelTable(Bytes source) : held_((source.size + 3) / 4) {
  if (source.size == 0) return;
  std::memcpy(held_.data(), source.data, source.size);
  const Bytes file{reinterpret_cast<const uint8_t*>(held_.data()), source.size};
  Cursor in(file);
  if (std::memcmp(in.take(sizeof kMagic), kMagic, sizeof kMagic) != 0) {
    fail(OC_BAD_FILE, "this is no table of kernels");
  }
  const uint32_t version = in.u32();
  if (version != kVersion) fail(OC_BAD_VERSION, "a table of kernels of version %u", version);
  for (uint32_t n = in.count("kernels", kEntryBytes); n > 0; --n) {
    KernelEntry e;
    const char* name = reinterpret_cast<const char*>(in.take(kNameBytes));
    e.name.assign(name, strnlen(name, kNameBytes));
    e.crc = in.u32();
    e.constants = in.u32();
    e.params = in.u32();
    e.buffers = in.u32();
    e.written = in.u32();
    if (e.constants < 1 || e.constants > kMostConstants || e.params > kMostParams ||
        e.buffers > kMostBuffers) {
      fail(OC_BAD_FILE, "kernel %s has %u constants, %u params, %u buffers", e.name.c_str(),
           e.constants, e.params, e.buffers);
    }
    for (Bytes& module : e.modules) {
      const uint32_t offset = in.u32();
      module = module_at(file, offset, in.u32(), e.name.c_str());
    }
    if (e.modules[kPlain].data == nullptr) {
      fail(OC_BAD_FILE, "kernel %s has no plain variant", e.name.c_str());
    }
    entries_.push_back(std::move(e));
  }
}

const KernelEntry* KernelTable::find(const std::string& name) const {
  for (const KernelEntry& e : entries_) {
    if (e.name == name) return &e;
  }
  return nullptr;
}

}  // namespace optimum_compile::gpu
