#include "plan/cost.h"

#include <algorithm>

namespace pdrt::plan {
namespace {

double groups(std::int64_t floats) {
  const std::int64_t whole = (floats + kLanes - 1) / kLanes;
  return static_cast<double>(whole);
}

// Groups of lanes that pixels take in a product. A few past whole groups are computed by lanes
// along the inputs, in about a third of the time.
double pixel_groups(std::int64_t pixels) {
  const std::int64_t rest = pixels % kLanes;
  return rest > 0 && rest <= 4 ? groups(pixels - rest) + 1.0 / 3 : groups(pixels);
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

// The same on the phases of a 7x7 filter of stride 2, for a group of tiles: of a channel and of a
// kernel. And what products of few inputs reach.
constexpr double kStridedChannel = 1450, kStridedKernel = 205, kStridedEfficiency = 0.8;

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
  cost.channel = kSplit * groups(split);
  cost.kernel += 3 * groups(output.flat);
  return cost;
}

Cost winograd_cost(const ConvolutionForm& form, int tile, int rows, bool in_panels,
                   const Core& core) {
  const Transforms& per = kTransforms[tile / 2 - 1];
  const int side = tile + 2;
  const int across = (form.out_w + tile - 1) / tile, down = (form.out_h + tile - 1) / tile;
  const double lines = groups(across), in_lines = lines * input_share(across),
               out_lines = lines * output_share(across);
  Cost cost;
  for (int first = 0; first < down; first += rows) {
    const int now = std::min(rows, down - first);
    const std::int64_t count = std::int64_t{1} * now * across;
    const double tiles = groups(count), row = pixel_groups(count), positions = side * side;
    const Products products(row, tile_efficiency(row), core);
    if (in_panels) {
      cost.pair += positions * products.for_active();
    } else {
      // One weight for each channel, side by side: however few of them are active, nearly all lines
      // hold one that is.
      cost.pair += positions * products.arithmetic;
      cost.reading += positions * products.reading * static_cast<double>(form.channels);
    }
    cost.channel += (tile * now + 2) * in_lines * per.input_line + side * tiles * per.input_tiles;
    cost.kernel += tile * now * out_lines * per.output_line + tiles * per.output_tiles +
                   positions * kSumPosition * std::min(tiles, 4.0);
  }
  return cost;
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
