// F(4 x 4, 4 x 4) on the phases of a 7x7 convolution of stride 2, which many networks begin with:
// whether it can be used, and how the map is cut into strips.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "plan/cost.h"

namespace pdrt::plan {

struct StridedPlan {
  static constexpr int kMostWorkers = 8;

  Cost cost;
  int across = 0, down = 0;  // tiles
  int rows = 0;              // of tiles that are worked on at once
  int tiles = 0;             // in those, rounded up to whole groups of lanes
  // All ones where a column is a pixel: of the input, from -pad_left on, and of the output.
  std::vector<std::uint32_t> input_columns, output_columns;

  bool possible() const { return rows != 0; }
  // Floats from one position to the next: an odd number of cache lines, so that positions do not
  // share a set of a cache.
  std::int64_t position_stride(std::int64_t channels) const {
    return (kStridedPhases * channels * tiles / kLanes | 1) * kLanes;
  }
  // Threads that each work on a strip.
  int workers() const { return std::min(down, kMostWorkers); }
  // Of one worker: transformed inputs of a strip, and the engine's own scratch.
  std::int64_t patch_floats(std::int64_t channels) const {
    return kStridedPositions * position_stride(channels);
  }
  std::int64_t worker_floats(std::int64_t channels) const {
    return patch_floats(channels) + strided_scratch(rows, across);
  }
  std::int64_t scratch_floats(std::int64_t channels) const {
    return possible() ? workers() * worker_floats(channels) : 0;
  }
};

// Whatever it costs; not possible() where it cannot be used.
StridedPlan plan_strided(const ConvolutionForm& form, const Core& core);

// Not possible() where `direct` is expected to be faster, either.
StridedPlan plan_strided(const ConvolutionForm& form, const Cost& direct,
                         const LayerCosts* measured, const Core& core);

}  // namespace pdrt::plan
