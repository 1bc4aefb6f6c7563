// The C functions about devices, and those of probe.h.
#include <cstring>
#include <string>

#include "optimum_compile/gpu/kernel_table.h"
#include "optimum_compile/runtime/interface.h"

using namespace optimum_compile;

namespace {

oc_device_description one_of(oc_device_kind kind, int64_t index) {
  return entry(devices_of(kind), index, "device");
}

}  // namespace

extern "C" {

oc_status oc_device_count(oc_device_kind kind, int64_t* count) {
  return guarded([&] {
    need(count);
    *count = 0;
    *count = static_cast<int64_t>(devices_of(kind).size());
  });
}

oc_status oc_device_info(oc_device_kind kind, int64_t index, oc_device_description* description) {
  return guarded([&] {
    need(description);
    *description = one_of(kind, index);
  });
}

oc_status oc_device_find(oc_device_kind kind, const char* name, int64_t* index) {
  return guarded([&] {
    need(name);
    need(index);
    *index = -1;
    std::string seen;
    const std::vector<oc_device_description> found = devices_of(kind);
    for (size_t i = 0; i < found.size() && *index < 0; ++i) {
      if (std::strstr(found[i].name, name) != nullptr) *index = static_cast<int64_t>(i);
      seen += std::string(i == 0 ? "" : ", ") + found[i].name;
    }
    if (*index < 0) fail(OC_NO_DEVICE, "no device %s among: %s", name, seen.c_str());
  });
}

oc_status oc_device_open(oc_device_kind kind, int64_t index, uint32_t flags, oc_device** device) {
  return guarded([&] {
    need(device);
    *device = nullptr;
    *device = new oc_device{open_device(kind, index, flags)};
  });
}

void oc_device_close(oc_device* device) { delete device; }

oc_status oc_device_describe(const oc_device* device, oc_device_description* description) {
  return guarded([&] {
    need(device);
    need(description);
    *description = device->device->describe();
  });
}

oc_status oc_device_messages(const oc_device* device, int64_t* count, char* text,
                             size_t capacity) {
  return guarded([&] {
    need(device);
    need(count);
    std::string found;
    *count = device->device->messages(&found);
    if (text != nullptr && capacity > 0) put_text(found, text, capacity);
  });
}

oc_status oc_device_save_kernels(const oc_device* device, void* data, size_t* bytes) {
  return guarded([&] {
    need(device, bytes);
    const std::vector<uint8_t> found = device->device->save_kernels();
    if (data != nullptr && *bytes < found.size()) {
      fail(OC_BAD_ARGUMENT, "%zu bytes of kernels do not fit room for %zu", found.size(), *bytes);
    }
    *bytes = found.size();
    if (data != nullptr && !found.empty()) std::memcpy(data, found.data(), found.size());
  });
}

oc_status oc_device_load_kernels(const oc_device* device, const void* data, size_t bytes) {
  return guarded([&] {
    need(device, data);
    device->device->load_kernels({static_cast<const uint8_t*>(data), bytes});
  });
}

oc_status oc_session_create_on(const oc_model* model, const oc_device* device,
                               oc_session** session) {
  return guarded([&] {
    need(session);
    *session = nullptr;
    need(model);
    need(device);
    *session = new oc_session{device->device->session(model->program, model->session_bytes_max)};
  });
}

oc_status oc_probe_kernel(const oc_device* device, oc_probe_call* call) {
  return guarded([&] {
    need(device);
    need(call);
    device->device->probe(call);
  });
}

oc_status oc_probe_kernels(const oc_device* device, const void* data, size_t bytes) {
  return guarded([&] {
    need(device);
    need(static_cast<const char*>(data));
    device->device->use_kernels({static_cast<const uint8_t*>(data), bytes});
  });
}

oc_status oc_probe_built_in(const void** data, size_t* bytes) {
  return guarded([&] {
    need(data);
    need(bytes);
    const Bytes found = gpu::built_in_kernels();
    *data = found.data;
    *bytes = found.size;
  });
}

}  // extern "C"
