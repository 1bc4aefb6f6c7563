// kernels.bin as it lies in the folder `kernels/built`, in this library.
#include "optimum_compile/gpu/kernel_table.h"

#ifdef OC_KERNELS_BIN
#ifdef __APPLE__
#define OC_SYMBOL "_"
#define OC_SECTION ".section __TEXT,__const\n"
#define OC_SECTION_END ".text\n"
#else
#define OC_SYMBOL ""
#define OC_SECTION ".pushsection .rodata\n"
#define OC_SECTION_END ".popsection\n"
#endif
__asm__(OC_SECTION
        ".balign 64\n" OC_SYMBOL "oc_kernels_begin:\n"
        ".incbin \"" OC_KERNELS_BIN "\"\n" OC_SYMBOL "oc_kernels_end:\n"
        ".byte 0\n" OC_SECTION_END);
extern "C" {
extern const uint8_t oc_kernels_begin[] __attribute__((visibility("hidden")));
extern const uint8_t oc_kernels_end[] __attribute__((visibility("hidden")));
}
#endif

namespace optimum_compile::gpu {

Bytes built_in_kernels() {
#ifdef OC_KERNELS_BIN
  return {oc_kernels_begin, static_cast<size_t>(oc_kernels_end - oc_kernels_begin)};
#else
  return {};
#endif
}

}  // namespace optimum_compile::gpu
