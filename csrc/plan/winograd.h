// Winograd's F(m x m, 3 x 3) for one convolution: whether it can be used, with which tiles, and how
// the map is cut into pieces.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plan/cost.h"

namespace pdrt::plan {

struct WinogradPlan {
  int tile = 0;  // m; 0: not used, for the reason in `refused`
  std::string refused;
  Cost cost;
  int across = 0, down = 0;         // tiles
  int rows = 0;                     // of tiles that are worked on at once
  int tiles = 0;                    // in those, rounded up to whole groups of lanes
  std::int64_t weights_stride = 0;  // floats from one position's weights to the next
  // All ones where a column is a pixel: of the input, from -pad_left on, and of the output.
  std::vector<std::uint32_t> input_columns, output_columns;

  bool possible() const { return tile != 0; }
  int positions() const { return (tile + 2) * (tile + 2); }
  // Floats from one position to the next where each holds the tiles of so many planes: an odd
  // number of cache lines, so that positions do not share a set of a cache.
  std::int64_t position_stride(std::int64_t planes) const {
    return (planes * tiles / kLanes | 1) * kLanes;
  }
  // Transformed inputs, and the sums of all kernels.
  std::int64_t scratch_floats(std::int64_t channels, std::int64_t kernels) const {
    if (!possible()) return 0;
    return positions() * (position_stride(channels) + position_stride(kernels));
  }
};

// A mask of kWinogradColumns columns: all ones for those of a map so wide, behind `pad` others.
std::vector<std::uint32_t> winograd_columns(int pad, int width);

// Whether that is enough for patches of so many tiles across, `step` columns from one to the next:
// whole groups of lanes are read, and a few columns behind them.
bool has_winograd_columns(const ConvolutionForm& form, int across, int step);

// Why a convolution cannot be computed so; empty where it can.
std::string winograd_obstacle(const ConvolutionForm& form);

// The tiles that are expected to be fastest with everything on, if that is faster than `direct`.
WinogradPlan plan_winograd(const ConvolutionForm& form, const Cost& direct,
                           const LayerCosts* measured, bool in_panels, const Core& core);

// Tiles of a given size, whatever they cost; not possible() where they cannot be used.
WinogradPlan plan_winograd(const ConvolutionForm& form, int tile, bool in_panels, const Core& core);

}  // namespace pdrt::plan
