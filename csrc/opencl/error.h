// OpenCL's status codes as exceptions that say what failed.
#pragma once

#include <string>
#include <string_view>

#include "opencl/api.h"

namespace pdrt::opencl {

// "CL_OUT_OF_RESOURCES"; "unknown code" for a number the specification does not know.
std::string_view name_of_error(cl_int code);

// Throws DeviceError "call failed: CL_NAME (-5)", with `detail` and, for common codes, what they
// mean.
[[noreturn]] void fail(cl_int code, std::string_view call, std::string_view detail = "");

inline void check(cl_int code, std::string_view call) {
  if (code != kSuccess) fail(code, call);
}

}  // namespace pdrt::opencl
