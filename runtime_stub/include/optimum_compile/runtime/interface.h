// What the C functions share: handles, and how a Failure becomes a status and a text.
#ifndef OPTIMUM_COMPILE_RUNTIME_INTERFACE_H
#define OPTIMUM_COMPILE_RUNTIME_INTERFACE_H

#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <vector>

#include "optimum_compile/optimum_compile.h"
#include "optimum_compile/runtime/device.h"
#include "optimum_compile/runtime/failure.h"
#include "optimum_compile/runtime/program.h"
#include "optimum_compile/runtime/session.h"

struct oc_model {
  std::shared_ptr<const optimum_compile::Program> program;
  int64_t session_bytes_max;
};

struct oc_session {
  std::unique_ptr<optimum_compile::Session> session;
};

struct oc_device {
  std::shared_ptr<optimum_compile::Device> device;
};

namespace optimum_compile {

// Keeps the text for oc_last_error.
oc_status remember(oc_status status, const char* text);

template <typename Body>
oc_status guarded(Body body) noexcept {
  try {
    body();
    return OC_OK;
  } catch (const Failure& failure) {
    return remember(failure.status, failure.text.c_str());
  } catch (const std::bad_alloc&) {
    return remember(OC_NO_MEMORY, "out of memory");
  } catch (const std::length_error&) {
    return remember(OC_NO_MEMORY, "a table is larger than memory can be");
  } catch (const std::exception& error) {
    return remember(OC_BAD_CALL, error.what());
  }
}

// None of the pointers may be NULL.
template <typename... Pointers>
void need(const Pointers*... pointers) {
  const void* const all[] = {pointers...};
  for (const void* each : all) {
    if (each == nullptr) fail(OC_BAD_ARGUMENT, "an argument is NULL");
  }
}

template <typename Entry>
const Entry& entry(const std::vector<Entry>& table, int64_t index, const char* what) {
  if (index < 0 || static_cast<uint64_t>(index) >= table.size()) {
    fail(OC_BAD_ARGUMENT, "%s %lld of %zu", what, static_cast<long long>(index), table.size());
  }
  return table[static_cast<size_t>(index)];
}

}  // namespace optimum_compile

#endif
