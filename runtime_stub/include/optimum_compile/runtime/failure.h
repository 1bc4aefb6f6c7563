// How everything behind the C interface says that it cannot go on.
#ifndef OPTIMUM_COMPILE_RUNTIME_FAILURE_H
#define OPTIMUM_COMPILE_RUNTIME_FAILURE_H

#include <string>

#include "optimum_compile/optimum_compile.h"

namespace optimum_compile {

struct Failure {
  oc_status status;
  std::string text;
};

#if defined(__GNUC__)
#define OC_FORMAT __attribute__((format(printf, 2, 3)))
#else
#define OC_FORMAT
#endif

// Throws a Failure; the text is cut at 500 bytes.
[[noreturn]] OC_FORMAT void fail(oc_status status, const char* format, ...);

}  // namespace optimum_compile

#endif
