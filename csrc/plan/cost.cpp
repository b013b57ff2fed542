#include "plan/cost.h"

#include <algorithm>

namespace pdrt::plan {
namespace {

double groups(std::int64_t floats) { return static_cast<double>((floats + kLanes - 1) / kLanes); }

// Of the peak that products reach on rows of so many groups of lanes: short ones are bound by the
// loads of weights, one for each multiply-add where there is one group.
double efficiency(double groups) { return groups < 2 ? 0.6 : groups < 3 ? 0.8 : 0.87; }

// Products of `positions` weights each on rows of `floats`: the arithmetic, or reading the weights
// from a cache that gives about eight bytes in a cycle.
double product(double positions, std::int64_t floats) {
  const double rows = groups(floats);
  return positions * std::max(rows / 2 / efficiency(rows), 4.0 / 8);
}

// Cycles of Winograd's transforms, measured (AVX-512, Zen 5): for a group of kLanes tiles in a line
// of pixels, and for a group of tiles of the map (of the input: in each of its columns).
struct Transforms {
  double input_line, input_tiles, output_line, output_tiles;
};
constexpr Transforms kTransforms[] = {{27, 8, 27, 28}, {36, 22, 39, 80}, {50, 37, 51, 350}};

}  // namespace

std::string layer_key(const ConvolutionForm& form) {
  const auto pair = [](std::int64_t a, std::int64_t b, const char* between) {
    return std::to_string(a) + between + std::to_string(b);
  };
  std::string key = pair(form.kernels, form.channels, "x") + " " +
                    pair(form.filter_h, form.filter_w, "x") + " stride " +
                    pair(form.stride_h, form.stride_w, "x") + " dilation " +
                    pair(form.dilation_h, form.dilation_w, "x") + " pad " +
                    pair(form.pad_top, form.pad_left, ",") + " " + pair(form.in_h, form.in_w, "x") +
                    " to " + pair(form.out_h, form.out_w, "x");
  if (form.groups != 1) key += " groups " + std::to_string(form.groups);
  return key;
}

Cost direct_cost(const ConvolutionForm& form, const Plane& output, std::int64_t split) {
  Cost cost;
  cost.pair = product(form.taps(), output.flat);
  cost.channel = groups(split);
  cost.kernel = 3 * groups(output.flat);
  return cost;
}

Cost winograd_cost(const ConvolutionForm& form, int tile) {
  const Transforms& per = kTransforms[tile / 2 - 1];
  const int side = tile + 2;
  const int across = (form.out_w + tile - 1) / tile, down = (form.out_h + tile - 1) / tile;
  const double lines = groups(across), tiles = groups(std::int64_t{1} * across * down);
  Cost cost;
  cost.pair = product(side * side, std::int64_t{1} * across * down);
  cost.channel = (tile * down + 2) * lines * per.input_line + side * tiles * per.input_tiles;
  cost.kernel = tile * down * lines * per.output_line + tiles * per.output_tiles;
  return cost;
}

}  // namespace pdrt::plan
