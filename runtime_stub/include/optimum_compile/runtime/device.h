// What sessions run on: the CPU, or what a driver offers.
#ifndef OPTIMUM_COMPILE_RUNTIME_DEVICE_H
#define OPTIMUM_COMPILE_RUNTIME_DEVICE_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "optimum_compile/optimum_compile.h"
#include "optimum_compile/runtime/container.h"
#include "optimum_compile/runtime/probe.h"
#include "optimum_compile/runtime/program.h"
#include "optimum_compile/runtime/session.h"

namespace optimum_compile {

// A device that was opened; what it makes keeps what it needs of it.
class Device {
 public:
  virtual ~Device() = default;
  virtual oc_device_description describe() const = 0;
  virtual std::unique_ptr<Session> session(std::shared_ptr<const Program> program,
                                           int64_t bytes_max) = 0;
  // Messages of a validation layer: their number, and the first ones as text.
  virtual int64_t messages(std::string* text) const;
  // What the driver made of kernels, for the next time; nothing where it keeps nothing.
  virtual std::vector<uint8_t> save_kernels() const;
  virtual void load_kernels(Bytes saved);
  virtual void use_kernels(Bytes table);
  virtual void probe(oc_probe_call* call);
};

// Those of a kind, in the order of its driver; a Failure where there is no driver.
std::vector<oc_device_description> devices_of(oc_device_kind kind);
std::shared_ptr<Device> open_device(oc_device_kind kind, int64_t index, uint32_t flags);

// By kind, in files of their own.
std::vector<oc_device_description> vulkan_devices();
std::shared_ptr<Device> open_vulkan(int64_t index, uint32_t flags);
std::vector<oc_device_description> metal_devices();
std::shared_ptr<Device> open_metal(int64_t index);

// Which of them to take where nobody chose one; a Failure with all reasons where none can be used.
int64_t best_device(const std::vector<oc_device_description>& found);

// Text into a field of a description, cut to its size.
void put_text(const std::string& text, char* field, size_t size);

}  // namespace optimum_compile

#endif
