// The text of the OpenCL programs, embedded when pdrt was built (cmake/embed.cmake).
#pragma once

#include <string_view>
#include <vector>

namespace pdrt::opencl {

// kernels/<program>.cl with what it includes. Throws DeviceError where there is no such program.
std::string_view source_of(std::string_view program);

std::vector<std::string_view> all_programs();

}  // namespace pdrt::opencl
