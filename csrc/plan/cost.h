// What a way to run a convolution is expected to cost for so many active kernels and channels.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "plan/step.h"
#include "planes/planes.h"

namespace pdrt::plan {

// What is known of a core where it is chosen how to compute.
struct Core {
  double multiply_adds = 2;  // vectors of kLanes floats that it multiplies and adds in a cycle
  bool wide_tiles = true;    // its registers hold sums for at least half of a panel's kernels
};

// In cycles of one core; only comparisons matter.
struct Cost {
  double pair = 0;     // for each active kernel on each active channel
  double channel = 0;  // for each active channel
  double kernel = 0;   // for each active kernel
  double reading = 0;  // its weights, however few channels are active: instead of pairs, if longer
  // What is added to pairs as lists get gaps: times the square of the share that is off of so many
  // channels.
  double gaps = 0, all = 1;

  double of(std::int64_t kernels, std::int64_t channels) const {
    const auto k = static_cast<double>(kernels), c = static_cast<double>(channels);
    const double off = 1 - c / all;
    return std::max(pair * k * c * (1 + gaps * off * off), reading * k) + channel * c + kernel * k;
  }
};

// What was measured on this machine for one layer, instead: any unit, as long as it is the same for
// all of them.
struct LayerCosts {
  Cost direct;
  std::array<std::optional<Cost>, 3> winograd, of_active;  // by tile / 2 - 1
  std::optional<Cost> strided;
};
using CostTable = std::map<std::string, LayerCosts>;  // by layer_key

// Layers with the same key cost the same, e.g. "64x64 3x3 stride 1x1 dilation 1x1 pad 1,1 56x56".
// `in_panels`: Winograd's weights lie so, see Step.
std::string layer_key(const ConvolutionForm& form, bool in_panels);

// Visiting every tap; `split` floats of scratch are written for each channel before.
Cost direct_cost(const ConvolutionForm& form, const Plane& output, std::int64_t split,
                 const Core& core);

// F(tile x tile, 3 x 3), so many rows of tiles at once.
Cost winograd_cost(const ConvolutionForm& form, int tile, int rows, bool in_panels,
                   const Core& core);

// F(4 x 4, 3 x 3) with kernels in lanes: the same for all maps that this is for.
Cost winograd_in_lanes_cost();

// The same with weights that are transformed as they are needed, of what is on alone, in so many
// floats.
Cost winograd_of_active_cost(const ConvolutionForm& form, int tile, int rows, std::int64_t room,
                             const Core& core);

// F(4 x 4, 4 x 4) on the phases of a 7x7 filter of stride 2, so many rows of tiles at once.
Cost strided_cost(const ConvolutionForm& form, int rows, const Core& core);

}  // namespace pdrt::plan
