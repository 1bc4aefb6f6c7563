/* Calls kernels of an object file without TVM's runtime: what they need of it is here, for one thread.
 *
 *   harness CALLS ANSWERS
 *
 * CALLS: int32 number of calls; of each: int32 index of the kernel, int32 number of arguments; of each
 * argument int32 code, bits, count and count * bits / 8 bytes. ANSWERS gets the last argument of each call.
 * KERNELS is a list of X(name), given to the compiler.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
  void* data;
  int32_t device_type, device_id, ndim;
  uint8_t code, bits;
  uint16_t lanes;
  int64_t *shape, *strides;
  uint64_t byte_offset;
} Tensor;

typedef struct {
  int32_t type_index;
  uint32_t padding;
  union {
    void* pointer;
    int64_t number;
  } value;
} Any;

enum { CPU = 1, TENSOR_POINTER = 7, MAX_ARGUMENTS = 64 };

typedef int (*Parallel)(int task, void* environment, void* data);
typedef int (*Kernel)(void* self, const Any* arguments, int32_t count, Any* result);

#define X(name) extern int __tvm_ffi_##name(void*, const Any*, int32_t, Any*);
KERNELS
#undef X
#define X(name) __tvm_ffi_##name,
static const Kernel kernels[] = {KERNELS};
#undef X

/* Set when a kernel refuses an argument. */
void TVMFFIErrorSetRaisedFromCStrParts(const char* kind, const char** parts, int32_t count) {
  fprintf(stderr, "%s: ", kind);
  for (int32_t i = 0; i < count; ++i) fputs(parts[i] ? parts[i] : "", stderr);
  fputc('\n', stderr);
}

static int launch(Parallel run, void* data, int tasks) {
  (void)tasks;
  struct {
    void* sync;
    int32_t count;
  } environment = {NULL, 1};
  return run(0, &environment, data);
}

static void* allocate(int type, int id, uint64_t size, int code, int bits) {
  (void)type, (void)id, (void)code, (void)bits;
  return aligned_alloc(64, (size + 63) / 64 * 64);
}

static int release(int type, int id, void* data) {
  (void)type, (void)id;
  free(data);
  return 0;
}

/* The object has these as variables, which the runtime would set. */
extern __attribute__((weak)) void* __TVMBackendParallelLaunch;
extern __attribute__((weak)) void* __TVMBackendAllocWorkspace;
extern __attribute__((weak)) void* __TVMBackendFreeWorkspace;

static int32_t number(FILE* file) {
  int32_t found = -1;
  if (fread(&found, sizeof found, 1, file) != 1) exit(3);
  return found;
}

int main(int argc, char** argv) {
  FILE* calls = argc == 3 ? fopen(argv[1], "rb") : NULL;
  FILE* answers = argc == 3 ? fopen(argv[2], "wb") : NULL;
  if (!calls || !answers) return 2;
  if (&__TVMBackendParallelLaunch) __TVMBackendParallelLaunch = (void*)launch;
  if (&__TVMBackendAllocWorkspace) __TVMBackendAllocWorkspace = (void*)allocate;
  if (&__TVMBackendFreeWorkspace) __TVMBackendFreeWorkspace = (void*)release;
  for (int32_t left = number(calls); left > 0; --left) {
    Tensor tensors[MAX_ARGUMENTS];
    int64_t shapes[MAX_ARGUMENTS];
    Any given[MAX_ARGUMENTS], result = {0, 0, {NULL}};
    int32_t index = number(calls), count = number(calls);
    if (count < 1 || count > MAX_ARGUMENTS) return 4;
    size_t size = 0;
    for (int32_t i = 0; i < count; ++i) {
      int32_t code = number(calls), bits = number(calls);
      shapes[i] = number(calls);
      size = (size_t)shapes[i] * (size_t)bits / 8;
      void* data = aligned_alloc(64, (size + 63) / 64 * 64);
      if (!data || fread(data, 1, size, calls) != size) return 5;
      Tensor made = {data, CPU, 0, 1, (uint8_t)code, (uint8_t)bits, 1, &shapes[i], NULL, 0};
      tensors[i] = made;
      Any argument = {TENSOR_POINTER, 0, {&tensors[i]}};
      given[i] = argument;
    }
    if (kernels[index](NULL, given, count, &result) != 0) return 6;
    fwrite(tensors[count - 1].data, 1, size, answers);
    for (int32_t i = 0; i < count; ++i) free(tensors[i].data);
  }
  return fclose(answers) == 0 ? 0 : 7;
}
