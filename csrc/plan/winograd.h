// Winograd's F(m x m, 3 x 3) for one convolution: whether it can be used, with which tiles, and how
// the map is cut into pieces.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plan/cost.h"

namespace pdrt::plan {

struct WinogradPlan {
  int tile = 0;           // m; 0: not used, for the reason in `refused`
  bool in_lanes = false;  // the kernels: see planes/planes.h
  std::string refused;
  Cost cost;
  int across = 0, down = 0;         // tiles
  int rows = 0;                     // of tiles that are worked on at once
  int tiles = 0;                    // in those, rounded up to whole groups of lanes
  std::int64_t weights_stride = 0;  // floats from one position's weights to the next
  // Floats of scratch: transformed inputs, the sums of all kernels and, in what is left where some
  // are off, weights of what is on.
  std::int64_t scratch_floats = 0;
  // What it costs to transform these weights as they are needed, where that can be done.
  std::optional<Cost> of_active;
  // All ones where a column is a pixel: of the input, from -pad_left on, and of the output.
  std::vector<std::uint32_t> input_columns, output_columns;

  bool possible() const { return tile != 0; }
  int positions() const { return (tile + 2) * (tile + 2); }
  // Floats from one position to the next where each holds the tiles of so many planes: an odd
  // number of cache lines, so that positions do not share a set of a cache.
  std::int64_t position_stride(std::int64_t planes) const {
    return (planes * tiles / kLanes | 1) * kLanes;
  }
  // With the weights that are better for so many.
  double least_cost(std::int64_t kernels, std::int64_t channels) const {
    const double before = cost.of(kernels, channels);
    return of_active ? std::min(before, of_active->of(kernels, channels)) : before;
  }
  // Of transformed inputs and sums of so many.
  std::int64_t floats_of(std::int64_t channels, std::int64_t kernels) const {
    return positions() * (position_stride(channels) + position_stride(kernels));
  }
  // Left for weights of what is on: no more than a near cache holds.
  std::int64_t floats_for_weights(std::int64_t channels, std::int64_t kernels) const;
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

// For a convolution with switches, whose weights may be transformed as they are needed.
void add_weights_of_active(WinogradPlan& plan, const ConvolutionForm& form,
                           const LayerCosts* measured, const Core& core);

}  // namespace pdrt::plan
