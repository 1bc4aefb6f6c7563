// Sessions, and single kernels, on a Vulkan device.
#ifndef OPTIMUM_COMPILE_GPU_SESSION_H
#define OPTIMUM_COMPILE_GPU_SESSION_H

#include "optimum_compile/gpu/device.h"

#ifdef OC_VULKAN

#include "optimum_compile/runtime/probe.h"
#include "optimum_compile/runtime/session.h"

namespace optimum_compile::gpu {

std::unique_ptr<Session> make_session(const std::shared_ptr<Gpu>& gpu,
                                      std::shared_ptr<const KernelTable> kernels,
                                      std::shared_ptr<const Program> program, int64_t bytes_max);

void run_probe(const std::shared_ptr<Gpu>& gpu, const KernelTable& kernels, oc_probe_call* call);

}  // namespace optimum_compile::gpu

#endif  // OC_VULKAN
#endif
