// The words that plans and engines share: how planes lie in memory, which stages can follow a
// convolution, how strided inputs are rearranged, and what a pool's window is. No code, no device.
#pragma once

#include <cstdint>

namespace pdrt {

// Every flat loop covers whole groups of this many pixels, on every instruction set, so that
// layouts are the same everywhere.
constexpr int kLanes = 16;

// Geometry shared by all planes of height x width pixels in a plan. Pixel (y, x) is at
// [y * row + x]. Between width and row lie `gap` floats that are always zero: the right border of
// one row is the left border of the next. Small maps may have no gap. In front of pixel (0,0) lie
// `lead` zero floats, behind the last pixel lie zeros up to `stride - lead`.
//
// What is read beside the pixels: convolve, for pixels [begin, end), reads exactly
// [offset + begin, offset + end) of an input for every tap's offset, so a lead of -min(offsets) and
// a tail of max(offsets) are enough; depthwise does so where gap, lead and tail are wide enough.
// Everything else stays within `flat`.
//
// The same pixels of one plane after the other are read together. So that these fall on all sets of
// a cache alike, strides are odd multiples of its lines, which are kLanes floats.
struct Plane {
  std::int32_t height = 1;
  std::int32_t width = 1;
  std::int32_t row = 1;   // width + gap
  std::int32_t lead = 0;  // multiple of kLanes
  std::int32_t flat = 0;  // height * row rounded up to kLanes: what a flat loop writes
  // Floats from one plane to the next: lead + flat + tail, an odd multiple of kLanes.
  std::int32_t stride = 0;
  // `flat` words: all ones on a pixel, zero in the gap and past the end. Whatever is stored is
  // ANDed with it, so what is no pixel becomes +0 even where NaN was computed. nullptr: all are
  // pixels, of convolutions with no bias, stages, flags or sums.
  const std::uint32_t* mask = nullptr;
};

// One stage of an epilogue: x = stage(x), applied in order to accumulators or to a loaded plane.
// NaN stays NaN in all of them, with the one exception told at `multiply`.
enum class Stage : std::uint8_t {
  // with an operand
  add,
  subtract,
  reverse_subtract,  // operand - x
  multiply,          // by a channel operand that is exactly zero: 0, even where x is Inf or NaN
  divide,
  reverse_divide,  // operand / x
  minimum,         // NaN where either is NaN
  maximum,         // NaN where either is NaN
  affine,          // x * data[k] + data2[k]: batch normalisation; always a channel operand
  prelu,           // x < 0 ? x * operand : x
  greater,         // x > operand ? 1 : 0, as are the next three; 0 where either is NaN
  greater_or_equal,
  less,
  less_or_equal,
  // without, mostly
  relu,          // x < 0 ? 0 : x
  leaky_relu,    // x < 0 ? a * x : x
  clip,          // to [a, b]; b where a > b. With a channel operand, both moved by it
  sigmoid,       // within 2.5 units in the last place, as are tanh and exponential
  hard_sigmoid,  // max(0, min(1, a * x + b))
  hard_swish,    // x * max(0, min(1, x / 6 + 0.5))
  tanh,
  silu,  // x * sigmoid(x): NaN for -Inf, as the product says
  absolute,
  negate,
  exponential,
  square_root
};

enum class Operand : std::uint8_t {
  none,
  // One number per kernel: data[k * channel_stride]. With channel_stride 0, one number for all.
  channel,
  // A plane per kernel, in the output's geometry: pixel (0,0) is at data + k * channel_stride. With
  // channel_stride 0, one plane for all kernels: a spatial multiplier.
  plane,
};

constexpr int kMaxStages = 16;

// Rows of outputs that depthwise loops make at once; maps are multiples of it more often than not.
constexpr int kDepthwiseRows = 7;

// A plane made from an input plane: in[r * stride_h + row][c * stride_w + column] at row r, column
// c, for r in [row0, row1), c in [col0, col1), which is where these are pixels of the input; zero
// everywhere else.
struct Phase {
  std::int32_t row = 0, column = 0;
  std::int32_t row0 = 0, row1 = 0, col0 = 0, col1 = 0;
};

// Rearranges one input plane into phases, so that taps of any stride, padding and dilation become
// fixed offsets. Phase planes are laid one after another, `phase_stride` floats apart, in the order
// of the list.
struct Phases {
  std::int32_t stride_h = 1, stride_w = 1;
  const Phase* phases = nullptr;
  int phase_count = 0;
  std::int32_t row = 0;   // floats per row: the output plane's; at least any col1 - col0
  std::int32_t lead = 0;  // floats in front of (0,0) of each phase plane
  // Everything in [-lead, phase_stride - lead) is written: zeros where no input is.
  std::int32_t phase_stride = 0;
};

// A filter sliding over a plane: output (y, x) reads the input at
// (y * stride_h + i * dilation_h - pad_top, x * stride_w + j * dilation_w - pad_left).
struct Window {
  std::int32_t filter_h = 1, filter_w = 1, stride_h = 1, stride_w = 1;
  std::int32_t dilation_h = 1, dilation_w = 1, pad_top = 0, pad_left = 0;

  std::int32_t taps() const { return filter_h * filter_w; }
};

struct Pool {
  // Maximum: NaN where the window holds one, -Inf where it holds no pixel. Else average: 0 there.
  bool maximum = true;
  // Average: divide by the whole window (clipped to the padded input), else by the pixels inside.
  bool count_include_pad = false;
  std::int32_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1;
  std::int32_t dilation_h = 1, dilation_w = 1;
  std::int32_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
};

// Winograd's F(m x m, 3 x 3) turns a 3x3 convolution of stride 1 into (m + 2)^2 pointwise ones over
// tiles of m x m output pixels: the patch of input pixels that a tile needs is transformed to
// (m + 2)^2 *positions*, at each position active inputs are multiplied by transformed weights and
// summed up for each active kernel, and the sums are transformed to pixels.
//
// A map at hand: `rows` rows of `tiles_x` tiles each, from row `first_row` on. Tile number t of
// them is float t of a position.
struct WinogradMap {
  int tile = 4;  // m: 2, 4 or 6
  int tiles_x = 0, first_row = 0, rows = 0;
  const Plane* plane = nullptr;  // of the input; of the output for winograd_output
  int pad_top = 0, pad_left = 0;
  // All ones where a column is a pixel, else 0, for kWinogradColumns columns; from the first that a
  // patch reads (input: -pad_left), from column 0 (output).
  const std::uint32_t* columns = nullptr;
};
constexpr int kWinogradColumns = 1600;
constexpr int kWinogradScratch = 16 * 1024;  // floats of stack that rows of tiles are held in

// Floats of a line of tiles in that scratch, of which there are m * (m + 2).
constexpr int winograd_line(int rows, int tiles_x) {
  return ((rows + 1) * tiles_x + 2 * kLanes - 1) / kLanes * kLanes;
}

// On maps of four tiles of 4 x 4 pixels at most, two by two, kernels may be lanes instead: panels
// of so many, whose taps lie side by side, input after input, nine times of each. And an input's
// patches: [position][tile].
constexpr int kInLanes = 2 * kLanes, kTileInLanes = 4, kTilesInLanes = 4;
constexpr int kPatchInLanes = (kTileInLanes + 2) * (kTileInLanes + 2) * kTilesInLanes;

// A 7x7 convolution of stride 2 is the sum of four of stride 1, one for each phase of the input's
// rows and columns, with four or three taps along either axis: F(4 x 4, 4 x 4), where a fourth tap
// may be zero. The phases of an input follow each other, those of even rows first: four places in
// the list of what is multiplied at each position.
constexpr int kStridedFilter = 7, kStridedTile = 4, kStridedSide = 7, kStridedPhases = 4;
constexpr int kStridedPositions = kStridedSide * kStridedSide;
// What is computed at once.
constexpr int kStridedKernels = 8;

// Floats of room for what is neither inputs nor results: lines, as above, of two phases of columns
// with the eight rows of pixels that a tile has; later of the pixels of kStridedKernels kernels.
constexpr std::int64_t strided_scratch(int rows, int tiles_x) {
  return std::int64_t{kStridedKernels} * kStridedTile * kStridedTile * winograd_line(rows, tiles_x);
}
static_assert(kStridedKernels * kStridedTile * kStridedTile >= 2 * kStridedSide * 2 * kStridedTile);

}  // namespace pdrt
