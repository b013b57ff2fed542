// What the host passes to the programs: one definition for OpenCL C and C++. Structures hold 32-bit
// members alone, so that both sides lay them out alike; they go by value.
//
// Offsets count elements of the buffer they point into. A plane's pixel (y, x), of channel c of
// sample n, is element base + n * sample_stride + c * stride + y * row + x of the buffer `planes`.
// What lies beside the pixels is never read and never written.
#ifndef PDRT_KERNELS_ARGUMENTS_H
#define PDRT_KERNELS_ARGUMENTS_H

#ifndef __OPENCL_VERSION__
#include <cstdint>
namespace pdrt::opencl {
using uint = std::uint32_t;
#endif

#define PDRT_NONE 0xffffffffu  // an offset that leads nowhere

typedef struct {
  uint base, sample_stride, stride;
  int row, height, width;
} Planes;

// What a stage does; the numbers are those of pdrt::Stage (planes/planes.h), where each is defined.
enum {
  STAGE_ADD,
  STAGE_SUBTRACT,
  STAGE_REVERSE_SUBTRACT,
  STAGE_MULTIPLY,
  STAGE_DIVIDE,
  STAGE_REVERSE_DIVIDE,
  STAGE_MINIMUM,
  STAGE_MAXIMUM,
  STAGE_AFFINE,
  STAGE_PRELU,
  STAGE_GREATER,
  STAGE_GREATER_OR_EQUAL,
  STAGE_LESS,
  STAGE_LESS_OR_EQUAL,
  STAGE_RELU,
  STAGE_LEAKY_RELU,
  STAGE_CLIP,
  STAGE_SIGMOID,
  STAGE_HARD_SIGMOID,
  STAGE_HARD_SWISH,
  STAGE_TANH,
  STAGE_SILU,
  STAGE_ABSOLUTE,
  STAGE_NEGATE,
  STAGE_EXPONENTIAL,
  STAGE_SQUARE_ROOT
};

enum { OPERAND_NONE, OPERAND_PARAMETER, OPERAND_DENSE, OPERAND_PLANE };

// One stage of an epilogue. A program gets a buffer of these and a range in it.
//   OPERAND_PARAMETER  parameters[base + n * sample_stride + k * channel_stride]; affine's shift is
//                      parameters[second + k * channel_stride]
//   OPERAND_DENSE      the same in `dense`
//   OPERAND_PLANE      planes[base + n * sample_stride + k * channel_stride + pixel], where `pixel`
//                      is y * row + x of the output, whose geometry the operand shares
typedef struct {
  int stage, operand;
  uint base, second, sample_stride, channel_stride;
  float a, b;
} StageArguments;

// The active kernels and channels of one sample of one group: ranges of `lists`. Entry number
// n * groups + g of an array of these, which lies in `lists` itself.
typedef struct {
  int kernel_first, kernel_count, channel_first, channel_count;
} Part;

typedef struct {
  int first, count;  // in the buffer `stages`
} Epilogue;

// The mean of each plane that a program with -DPOOLED writes, as the shares that groups of pixels
// have in it: share t of kernel k of sample n is dense[shares + (n * kernels + k) * groups + t],
// where t of `groups` is the work-group's number along the pixels.
typedef struct {
  uint shares;
  float per_pixel;  // 1 / pixels of a plane
} PooledMeans;

// Kernel numbers count all kernels of the step, channel numbers those of the group.
typedef struct {
  Planes in, out;
  uint parts;  // in lists
  int groups, group_channels, group_kernels;
  int stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
  uint weights, weights_row;  // in weights: row (c * taps + t), column k; floats from row to row
  uint bias;                  // in parameters, or PDRT_NONE
  uint in_flags, in_flags_stride;  // in flags, of sample 0 and channel 0; PDRT_NONE: not looked at
  uint out_flags, out_flags_stride;  // PDRT_NONE: not written
  Epilogue epilogue;
  PooledMeans pooled;
} ConvolutionArguments;

// Kernel k reads channel k / multiplier; the part's list of kernels says which k.
typedef struct {
  Planes in, out;
  uint parts;
  int multiplier;
  int filter_h, filter_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
  uint weights;  // in weights: kernel k's taps at weights + k * filter_h * filter_w
  uint bias;
  uint out_flags, out_flags_stride;
  Epilogue epilogue;
} DepthwiseArguments;

typedef struct {
  Planes in, out;
  uint parts;
  int maximum, count_include_pad;
  int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  int pad_top, pad_left, pad_bottom, pad_right;
  uint out_flags, out_flags_stride;
  Epilogue epilogue;
} PoolArguments;

// out[out + n * channels + k] = mean or maximum of a plane.
typedef struct {
  Planes in;
  uint parts;
  int maximum, channels;
  uint out;  // in dense
} GlobalPoolArguments;

// out = epilogue(in), plane by plane. `zero`: the epilogue of zeros, without reading `in`.
typedef struct {
  Planes in, out;
  uint parts;
  int zero;
  uint out_flags, out_flags_stride;
  Epilogue epilogue;
} ElementwiseArguments;

// Planes of one number: entry i of the part's kernels becomes as_float(lists[channel_first + i]).
typedef struct {
  Planes out;
  uint parts;
  uint out_flags, out_flags_stride;
} FillArguments;

// out[out + n * kernels + k] = epilogue(bias[k] + sum over columns of weights[k][i] * in[i]); plane
// operands do not occur.
typedef struct {
  int samples, kernels, columns;
  uint in, out;  // in dense
  uint weights;  // in weights: rows of `columns` floats
  uint bias;
  uint parts;  // of each sample
  Epilogue epilogue;
} FullyConnectedArguments;

// Between planes and an array of four strides (elements): sample, channel, row, pixel. Planes that
// are not listed in the part become, on the way out, the number that `constants` has for them:
// as_float(lists[constants + n * channels + c]); every plane is listed where it is PDRT_NONE.
typedef struct {
  Planes planes;
  uint array;  // first element
  uint sample_stride, channel_stride, row_stride, pixel_stride;
  int samples, channels;
  uint parts, constants;
  uint out_flags, out_flags_stride;  // load alone
} TransferArguments;

// Dense numbers: [outer][length][inner], reduced or normalised along `length`.
typedef struct {
  int outer, length, inner;
  uint in, out;
} AxisArguments;

// Dense numbers with broadcasting: out[i0..i5] = f(a[...], b[...], c[...]); a stride is 0 along an
// axis that is repeated.
typedef struct {
  int dims[6];
  uint out, a, b, c;  // in dense, in elements of the type each has
  int a_strides[6], b_strides[6], c_strides[6];
  float alpha, beta;
} BroadcastArguments;

// Winograd's F(m, 3), for 3x3 filters of stride 1: positions are the (m + 2)^2 numbers that stand
// for a tile of m x m output pixels; tiles are counted row by row. In dense, rows of `row` tiles:
// channel c of sample n at position p is row (n * positions + p) * groups * group_channels + c from
// `inputs` on, kernel k's sums row (n * positions + p) * groups * group_kernels + k from `sums` on;
// `inputs` counts halves where products take halves, `sums` counts floats.
// Weights are rows of kernels: channel c of a group at position p is row p * group_channels + c.
typedef struct {
  Planes in, out;
  uint parts;
  int groups, group_channels, group_kernels;
  int pad_top, pad_left;
  int tiles_x, tiles;  // in a row of the map, in all of it
  uint inputs, sums, row;
  uint weights, weights_row;
  uint bias;
  uint in_flags, in_flags_stride;
  uint out_flags, out_flags_stride;
  Epilogue epilogue;
  PooledMeans pooled;
} WinogradArguments;

// The weights for that from those of a convolution, [kernels][channels of a group][3][3].
typedef struct {
  uint in, out, row;
  int kernels, channels;
} WinogradWeightsArguments;

// A switch on the device: it concerns numbers in [first, last), and number k of sample n is on
// where dense[base + n * sample_stride + k * channel_stride] is not zero. Conditions lie in
// `lists`. Those of one alternative come one after the other.
typedef struct {
  uint base, sample_stride, channel_stride;
  int first, last, alternative;
} Condition;

// Makes the lists of a part where it runs: of the numbers [0, count) of a group, shifted by the
// group's number times group_stride where conditions and flags are looked up, those for which all
// conditions of some alternative hold (all of them where there is no condition) and whose flag is
// set; with `complement`, all others. Entry number z = n * groups + g of the parts gets the list at
// lists[list + z * count] and its length; `channels` says whether as channels, numbered within the
// group, or as kernels.
typedef struct {
  uint conditions;  // in lists
  int condition_count;
  uint flags, flags_stride;  // of sample 0 and number 0; PDRT_NONE: not looked at
  int groups, group_stride, count, channels;
  uint parts, list;  // in lists
  int complement;
} ActiveListArguments;

#ifndef __OPENCL_VERSION__
}  // namespace pdrt::opencl
#endif

#endif
