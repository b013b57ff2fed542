// How weights of fully connected layers lie by input: those of an input for all kernels side by
// side, a row of whole groups of lanes, input after input. So what is read for an input is one
// stream, long enough to come as fast as memory gives it, and what is not read is not fetched.
#pragma once

#include <cstdint>

#include "planes/planes.h"

namespace pdrt {

// Floats from one input's weights to the next one's.
constexpr std::int64_t by_input_row(std::int64_t kernels) {
  return (kernels + kLanes - 1) / kLanes * kLanes;
}

}  // namespace pdrt
