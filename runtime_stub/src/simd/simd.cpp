#include "optimum_compile/simd/simd.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace optimum_compile {
namespace {

const SimdSet* best() {
  for (const SimdSet* set : {simd_avx512(), simd_avx2(), simd_neon()}) {
    if (set != nullptr) return set;
  }
  return nullptr;
}

bool find(const char* name, const SimdSet** out) {
  *out = nullptr;
  if (std::strcmp(name, "portable") == 0) return true;
  for (const SimdSet* set : {simd_avx512(), simd_avx2(), simd_neon()}) {
    if (set == nullptr || std::strcmp(name, set->name) != 0) continue;
    *out = set;
    return true;
  }
  return false;
}

const SimdSet* first() {
  const char* const name = std::getenv("OC_SIMD");
  const SimdSet* set = nullptr;
  return name != nullptr && find(name, &set) ? set : best();
}

std::atomic<const SimdSet*>& chosen() {
  static std::atomic<const SimdSet*> set(first());
  return set;
}

}  // namespace

const SimdSet* simd() { return chosen().load(std::memory_order_relaxed); }

bool use_simd(const char* name) {
  const SimdSet* set = nullptr;
  if (name != nullptr && !find(name, &set)) return false;
  chosen().store(name == nullptr ? best() : set, std::memory_order_relaxed);
  return true;
}

}  // namespace optimum_compile
