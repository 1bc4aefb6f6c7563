#include "optimum_compile/runtime/device.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "optimum_compile/runtime/failure.h"

namespace optimum_compile {
namespace {

class Cpu : public Device {
 public:
  oc_device_description describe() const override {
    oc_device_description out = {};
    put_text("CPU", out.name, sizeof out.name);
    out.kind = OC_DEVICE_CPU;
    out.unified = 1;
    return out;
  }
  std::unique_ptr<Session> session(std::shared_ptr<const Program> program,
                                   int64_t bytes_max) override {
    return std::make_unique<CpuSession>(std::move(program), bytes_max);
  }
};

const char* name_of(oc_device_kind kind) {
  switch (kind) {
    case OC_DEVICE_CPU: return "cpu";
    case OC_DEVICE_VULKAN: return "vulkan";
    case OC_DEVICE_METAL: return "metal";
  }
  return "unknown";
}

// Discrete ones first: their memory is the fastest.
int rank_of(const oc_device_description& d) {
  switch (d.type) {
    case OC_DEVICE_DISCRETE: return 4;
    case OC_DEVICE_INTEGRATED: return 3;
    case OC_DEVICE_VIRTUAL: return 2;
    case OC_DEVICE_OTHER: return 1;
    default: return 0;
  }
}

}  // namespace

int64_t Device::messages(std::string* text) const {
  text->clear();
  return 0;
}

std::vector<uint8_t> Device::save_kernels() const { return {}; }

void Device::load_kernels(Bytes) {}

void Device::use_kernels(Bytes) { fail(OC_NO_DEVICE, "this device runs no kernels"); }

void Device::probe(oc_probe_call*) { fail(OC_NO_DEVICE, "this device runs no kernels"); }

void put_text(const std::string& text, char* field, size_t size) {
  const size_t n = std::min(text.size(), size - 1);
  std::memcpy(field, text.data(), n);
  field[n] = '\0';
}

#ifndef OC_METAL
std::vector<oc_device_description> metal_devices() {
  fail(OC_NO_DEVICE, "this runtime was built without Metal");
}
std::shared_ptr<Device> open_metal(int64_t) {
  fail(OC_NO_DEVICE, "this runtime was built without Metal");
}
#endif

std::vector<oc_device_description> devices_of(oc_device_kind kind) {
  switch (kind) {
    case OC_DEVICE_CPU: return {Cpu().describe()};
    case OC_DEVICE_VULKAN: return vulkan_devices();
    case OC_DEVICE_METAL: return metal_devices();
  }
  fail(OC_BAD_ARGUMENT, "a device of the kind %d", static_cast<int>(kind));
}

int64_t best_device(const std::vector<oc_device_description>& found) {
  int64_t best = -1;
  std::string refusals;
  for (size_t i = 0; i < found.size(); ++i) {
    if (found[i].refusal[0] != '\0') {
      refusals += std::string(refusals.empty() ? "" : "; ") + found[i].name + ": " +
                  found[i].refusal;
    } else if (best < 0 || rank_of(found[i]) > rank_of(found[static_cast<size_t>(best)])) {
      best = static_cast<int64_t>(i);
    }
  }
  if (best < 0) {
    fail(OC_NO_DEVICE, "no device can be used%s%s", refusals.empty() ? ": there is none" : ": ",
         refusals.c_str());
  }
  return best;
}

std::shared_ptr<Device> open_device(oc_device_kind kind, int64_t index, uint32_t flags) {
  constexpr uint32_t kKnown = OC_DEVICE_LOW_PRIORITY | OC_DEVICE_VALIDATION | OC_DEVICE_UNCHECKED |
                              OC_PROBE_APART;
  if ((flags & ~kKnown) != 0) fail(OC_BAD_ARGUMENT, "unknown flags of a device: %u", flags);
  const std::vector<oc_device_description> found = devices_of(kind);
  const int64_t chosen = index == -1 ? best_device(found) : index;
  if (chosen < 0 || static_cast<size_t>(chosen) >= found.size()) {
    fail(OC_NO_DEVICE, "%s device %lld of %zu", name_of(kind), static_cast<long long>(chosen),
         found.size());
  }
  const oc_device_description& d = found[static_cast<size_t>(chosen)];
  if (d.refusal[0] != '\0') fail(OC_NO_DEVICE, "%s cannot be used: %s", d.name, d.refusal);
  if (kind == OC_DEVICE_VULKAN) return open_vulkan(chosen, flags);
  if (kind == OC_DEVICE_METAL) return open_metal(chosen);
  return std::make_shared<Cpu>();
}

}  // namespace optimum_compile
