/* One kernel on one device, for tests and measurements; not part of the interface for programs. */
#ifndef OPTIMUM_COMPILE_RUNTIME_PROBE_H
#define OPTIMUM_COMPILE_RUNTIME_PROBE_H

#include "optimum_compile/optimum_compile.h"

#ifdef __cplusplus
extern "C" {
#endif

/* For oc_device_open: as if the memory of the device were apart from the host's, wherever it is. */
#define OC_PROBE_APART 0x10000u

typedef struct oc_probe_buffer {
  const void* in; /* `bytes` of contents; NULL: zeros */
  void* out;      /* takes them afterwards; NULL: nobody asks */
  size_t bytes;   /* a multiple of 4, above 0 */
} oc_probe_buffer;

typedef struct oc_probe_call {
  const char* kernel;
  const char* variant; /* plain, subgroup or dot; NULL: what a session would take */
  const uint32_t* constants;
  size_t constant_count; /* all of the kernel, local_size_x first */
  const uint32_t* params;
  size_t param_count;
  const oc_probe_buffer* buffers;
  size_t buffer_count;
  uint32_t groups[3];
  uint32_t repeats; /* of the dispatch, each after the one before; 0 counts as 1 */
  int64_t gpu_ns;   /* out: of all of them; 0 where the device has no clock */
} oc_probe_call;

OC_API oc_status oc_probe_kernel(const oc_device* device, oc_probe_call* call);

/* Kernels for this device in place of those in the runtime: the bytes of a kernels.bin. */
OC_API oc_status oc_probe_kernels(const oc_device* device, const void* data, size_t bytes);

/* The kernels.bin in the runtime; bytes 0 where it was built without. */
OC_API oc_status oc_probe_built_in(const void** data, size_t* bytes);

#ifdef __cplusplus
}
#endif

#endif
