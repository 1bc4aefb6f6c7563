#include "optimum_compile/gpu/session.h"

#ifdef OC_VULKAN

#include "optimum_compile/runtime/failure.h"

namespace optimum_compile::gpu {

std::unique_ptr<Session> make_session(const std::shared_ptr<Gpu>&,
                                      std::shared_ptr<const KernelTable>,
                                      std::shared_ptr<const Program>, int64_t) {
  fail(OC_NO_DEVICE, "the file has no section for a GPU that this runtime can read");
}

}  // namespace optimum_compile::gpu

#endif
