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
// one row is the left border of the next. In front of pixel (0,0) lie `lead` zero floats, behind
// the last pixel lie zeros up to `stride - lead`.
//
// What is read beside the pixels: convolve, for pixels [begin, end), reads exactly
// [offset + begin, offset + end) of an input for every tap's offset, so a lead of -min(offsets) and
// a tail of max(offsets) are enough; depthwise does so where gap, lead and tail are wide enough.
// Everything else stays within `flat`.
//
// Strides that are a multiple of 1024 floats put all planes on the same lines of a cache: avoid
// them.
struct Plane {
  std::int32_t height = 1;
  std::int32_t width = 1;
  std::int32_t row = 1;   // width + gap
  std::int32_t lead = 0;  // multiple of kLanes
  std::int32_t flat = 0;  // height * row rounded up to kLanes: what a flat loop writes
  // Floats from one plane to the next: lead + flat + tail, multiple of kLanes.
  std::int32_t stride = 0;
  // `flat` words: all ones on a pixel, zero in the gap and past the end. Whatever is stored is
  // ANDed with it, so what is no pixel becomes +0 even where NaN was computed.
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
  // without
  relu,          // x < 0 ? 0 : x
  leaky_relu,    // x < 0 ? a * x : x
  clip,          // to [a, b]; b where a > b
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

// Rearranges one input plane so that taps of any stride, padding and dilation become fixed offsets:
// phase (i, j) holds in[r * stride_h + i][c * stride_w + j] at row r, column c, zero outside the
// input, for r in [row0, row1), c in [col0, col1). Phase planes are laid one after another,
// `phase_stride` floats apart, listed by `phases` (i * stride_w + j).
//
// Rows may be shorter than col1 - col0 where the columns that then coincide, the last of one row
// and the first of the next, both lie outside the input.
struct Phases {
  std::int32_t stride_h = 1, stride_w = 1;
  const std::int32_t* phases = nullptr;
  int phase_count = 0;
  std::int32_t row0 = 0, row1 = 0, col0 = 0, col1 = 0;
  std::int32_t row = 0;  // floats per row: the output plane's row
  // Floats in front of (0,0) of each phase plane; at least -(row0 * row + col0).
  std::int32_t lead = 0;
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

}  // namespace pdrt
