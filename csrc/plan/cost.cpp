#include "plan/cost.h"

#include <algorithm>

namespace pdrt::plan {
namespace {

double groups(std::int64_t floats) {
  const std::int64_t whole = (floats + kLanes - 1) / kLanes;
  return static_cast<double>(whole);
}

// Whether there are a few pixels past whole groups of lanes: products compute those by lanes along
// the inputs, in about a third of the time.
bool has_few_left(std::int64_t pixels) {
  const std::int64_t rest = pixels % kLanes;
  return rest > 0 && rest <= 4;
}

// Groups of lanes that pixels take in a product.
double pixel_groups(std::int64_t pixels) {
  return has_few_left(pixels) ? groups(pixels - pixels % kLanes) + 1.0 / 3 : groups(pixels);
}

// Cycles to write a group of lanes into a phase, and to read phases, which need more room in caches
// than the planes they are made of.
constexpr double kSplit = 12;

// Bytes of weights that one core gets from memory in a cycle. In most networks no layer finds its
// own in a cache: too many others have been read since.
constexpr double kWeightBytes = 5.2;

// Products on rows of so many groups of lanes, for each weight of a kernel. Arithmetic and reading
// the weights go on at once: what takes longer counts.
struct Products {
  double arithmetic, reading = 4 / kWeightBytes;
  Products(double groups, double efficiency, const Core& core)
      : arithmetic(groups / core.multiply_adds / efficiency) {}

  // Weights of channels that are off are not read, either.
  double for_active() const { return std::max(arithmetic, reading); }
};

// Of the peak that products reach: filters of several taps; and one tap on rows of so many groups
// of lanes, where there is less for each weight that is loaded if they are short.
constexpr double kTapsEfficiency = 0.87;
double tile_efficiency(double groups) { return groups < 2 ? 0.64 : 0.69; }

// Winograd's other costs, in cycles. For a group of kLanes tiles in a line of pixels, and for a
// group of tiles of the map (of the input: in each of its columns).
struct Transforms {
  double input_line, input_tiles, output_line, output_tiles;
};
constexpr Transforms kTransforms[] = {{45, 14, 30, 30}, {61, 37, 43, 87}, {94, 70, 62, 430}};

// Share of a line's cost where rows are so narrow that several are computed as one.
double input_share(int across) {
  return across <= kLanes / 4 ? 0.25 : across <= kLanes / 2 ? 0.5 : 1;
}
double output_share(int across) { return across <= kLanes / 2 ? 0.5 : 1; }

// For each position of a kernel and each group of its tiles, up to four.
constexpr double kSumPosition = 5;

// What gaps add to products, with filters of several taps and at Winograd's positions: fours of
// weights that lie together get rare, which counts where a core waits for loads, not for
// multiply-adds, and those for a few pixels past whole groups are gathered one by one.
double gaps_of_taps(const Core& core) { return core.multiply_adds < 2 ? 0 : 0.6; }
double gaps_of_positions(std::int64_t tiles, const Core& core) {
  if (core.multiply_adds < 2) return 0.3;
  return has_few_left(tiles) ? 1.0 : 0.7;
}

// To transform the taps of a kernel for an input; before that they are read from memory. Where a
// core multiplies half as much in a cycle, vectors are half as long, and are half as quickly done.
double cost_of_taps(const Core& core) { return 16 / core.multiply_adds / core.multiply_adds; }

// With kernels in lanes: for a pair, and for a channel's patches or a kernel's sums.
constexpr double kPairInLanes = 7.7, kPlaneInLanes = 110;

// Bytes in a cycle of transformed inputs, which are read again for every block of kernels.
constexpr double kPatchBytes = 32;

// The same on the phases of a 7x7 filter of stride 2, for a group of tiles: of a channel and of a
// kernel. And what products of few inputs reach.
constexpr double kStridedChannel = 1450, kStridedKernel = 205, kStridedEfficiency = 0.8;

// Transforms of a map in strips of so many rows of tiles, and what add_products(tiles, cost) adds
// for a strip of so many.
template <typename AddProducts>
Cost by_strips(const ConvolutionForm& form, int tile, int rows, const AddProducts& add_products) {
  const Transforms& per = kTransforms[tile / 2 - 1];
  const int side = tile + 2;
  const int across = (form.out_w + tile - 1) / tile, down = (form.out_h + tile - 1) / tile;
  const double lines = groups(across), in_lines = lines * input_share(across),
               out_lines = lines * output_share(across);
  Cost cost;
  for (int first = 0; first < down; first += rows) {
    const int now = std::min(rows, down - first);
    const std::int64_t count = std::int64_t{1} * now * across;
    const double tiles = groups(count);
    add_products(count, cost);
    cost.channel += (tile * now + 2) * in_lines * per.input_line + side * tiles * per.input_tiles;
    cost.kernel += tile * now * out_lines * per.output_line + tiles * per.output_tiles +
                   side * side * kSumPosition * std::min(tiles, 4.0);
  }
  return cost;
}

}  // namespace

std::string layer_key(const ConvolutionForm& form, bool in_panels) {
  const auto pair = [](std::int64_t a, std::int64_t b, const char* between) {
    return std::to_string(a) + between + std::to_string(b);
  };
  std::string key = pair(form.kernels, form.channels, "x") + " " +
                    pair(form.filter_h, form.filter_w, "x") + " stride " +
                    pair(form.stride_h, form.stride_w, "x") + " dilation " +
                    pair(form.dilation_h, form.dilation_w, "x") + " pad " +
                    pair(form.pad_top, form.pad_left, ",") + " " + pair(form.in_h, form.in_w, "x") +
                    " to " + pair(form.out_h, form.out_w, "x");
  if (in_panels) key += " in panels";
  if (form.groups != 1) key += " groups " + std::to_string(form.groups);
  return key;
}

Cost direct_cost(const ConvolutionForm& form, const Plane& output, std::int64_t split,
                 const Core& core) {
  Cost cost;
  const std::int64_t pixels = std::int64_t{1} * (form.out_h - 1) * output.row + form.out_w;
  const Products products(pixel_groups(pixels), kTapsEfficiency, core);
  // Those of a channel's taps lie together; with one tap there is nothing to choose from.
  cost.pair = form.taps() * products.for_active();
  cost.gaps = gaps_of_taps(core);
  cost.all = static_cast<double>(form.group_channels());
  cost.channel = kSplit * groups(split);
  cost.kernel += 3 * groups(output.flat);
  return cost;
}

Cost winograd_cost(const ConvolutionForm& form, int tile, int rows, bool in_panels,
                   const Core& core) {
  const double positions = (tile + 2) * (tile + 2);
  return by_strips(form, tile, rows, [&](std::int64_t tiles, Cost& cost) {
    const double row = pixel_groups(tiles);
    const Products products(row, tile_efficiency(row), core);
    if (in_panels) {
      cost.pair += positions * products.for_active();
    } else {
      // One weight for each channel, side by side: however few of them are active, nearly all lines
      // hold one that is.
      const auto all = static_cast<double>(form.channels);
      cost.pair += positions * products.arithmetic;
      cost.reading += positions * products.reading * all;
      cost.gaps = gaps_of_positions(tiles, core);
      cost.all = all;
    }
  });
}

Cost winograd_in_lanes_cost() {
  Cost cost;
  cost.pair = kPairInLanes;
  cost.channel = cost.kernel = kPlaneInLanes;
  return cost;
}

Cost winograd_of_active_cost(const ConvolutionForm& form, int tile, int rows, std::int64_t room,
                             const Core& core) {
  const double positions = (tile + 2) * (tile + 2);
  // With half of the inputs on, weights of one kernel take this share of the room.
  const double block =
      positions * static_cast<double>(form.channels) / 2 / static_cast<double>(room);
  return by_strips(form, tile, rows, [&](std::int64_t tiles, Cost& cost) {
    const double row = pixel_groups(tiles);
    const Products products(row, tile_efficiency(row), core);
    const double patches = positions * 4 * static_cast<double>(tiles) / kPatchBytes;
    cost.pair += positions * products.arithmetic + cost_of_taps(core) + block * patches;
    cost.kernel += form.columns() * products.reading;
  });
}

Cost strided_cost(const ConvolutionForm& form, int rows, const Core& core) {
  const int across = (form.out_w + kStridedTile - 1) / kStridedTile,
            down = (form.out_h + kStridedTile - 1) / kStridedTile;
  Cost cost;
  for (int first = 0; first < down; first += rows) {
    const double tiles = groups(std::int64_t{1} * std::min(rows, down - first) * across);
    cost.pair +=
        kStridedPhases * kStridedPositions * tiles / core.multiply_adds / kStridedEfficiency;
    cost.channel += kStridedChannel * tiles;
    cost.kernel += kStridedKernel * tiles;
  }
  return cost;
}

}  // namespace pdrt::plan
