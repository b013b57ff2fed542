// Launches of reduce.cl and softmax.cl: along an axis of dense numbers.
#pragma once

#include <utility>

#include "opencl/arguments.h"
#include "run/device/dense_programs.h"
#include "run/device/workspace.h"

namespace pdrt::run::device {

// `in` and `out` are offsets into the dense values, in floats.
std::pair<LaunchSpec, Groups> launch_along(const std::string& program, const std::string& options,
                                           const Axes& axes, opencl::uint in, opencl::uint out);

}  // namespace pdrt::run::device
