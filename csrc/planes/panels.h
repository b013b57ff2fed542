// How weights of one tap lie in panels: kLanes kernels after kLanes kernels, the last ones with
// room for as many; in a panel input after input, of each the weights of the panel's kernels side
// by side, a cache line. So a panel is read from its beginning to its end, and lines of inputs that
// are off are neither read nor fetched.
#pragma once

#include <cstdint>

#include "planes/planes.h"

namespace pdrt {

// With a line behind the last panel: from any weight on, as many may be read as a line has.
constexpr std::int64_t panel_floats(std::int64_t kernels, std::int64_t inputs) {
  return ((kernels + kLanes - 1) / kLanes * inputs + 1) * kLanes;
}

// Where kernel k's weight for input 0 lies. Each further input is kLanes on.
constexpr std::int64_t panel_place(std::int64_t k, std::int64_t inputs) {
  return k / kLanes * inputs * kLanes + k % kLanes;
}

}  // namespace pdrt
