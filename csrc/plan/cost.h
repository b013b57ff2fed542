// What a way to run a convolution is expected to cost for so many active kernels and channels.
#pragma once

#include <cstdint>

#include "plan/step.h"
#include "planes/planes.h"

namespace pdrt::plan {

// In cycles of one core that multiplies and adds two vectors of kLanes floats each cycle. On other
// cores all of it scales alike, and only comparisons matter.
struct Cost {
  double pair = 0;     // for each active kernel on each active channel
  double channel = 0;  // for each active channel
  double kernel = 0;   // for each active kernel

  double of(std::int64_t kernels, std::int64_t channels) const {
    return pair * static_cast<double>(kernels * channels) +
           channel * static_cast<double>(channels) + kernel * static_cast<double>(kernels);
  }
};

// Visiting every tap; `split` floats of scratch are written for each channel before.
Cost direct_cost(const ConvolutionForm& form, const Plane& output, std::int64_t split);

// F(tile x tile, 3 x 3) with so many tiles.
Cost winograd_cost(const ConvolutionForm& form, int tile);

}  // namespace pdrt::plan
