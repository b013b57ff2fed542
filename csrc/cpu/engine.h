// The plane engine's surface: what the runtime may ask of one instruction set. It knows planes,
// kernels and taps, and nothing of graphs. Lanes run along pixels; a convolution kernel is a row
// pointer into OIHW weights.
//
// The sources in cpu/isa/ are written once in vector extensions and built once per instruction set;
// each build fills one Engine table. Everything in the table is noexcept, allocates nothing, and
// may be called from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "planes/planes.h"

namespace pdrt::cpu {

struct EpilogueStage {
  Stage stage = Stage::relu;
  Operand operand = Operand::none;
  const float* data = nullptr;
  const float* data2 = nullptr;     // affine: the shift; same channel_stride
  std::int64_t channel_stride = 0;  // floats
  float a = 0, b = 0;               // parameters of the stages that name them
};

struct Epilogue {
  const EpilogueStage* stages = nullptr;
  int count = 0;
};

// A convolution of active kernels over active inputs; any filter size, stride and dilation, since
// taps are offsets into planes that already have the output's row length (see Phases for how
// strided inputs get there).
struct Convolution {
  // `channels` pointers, each at the input's pixel for output pixel (0,0) and offset 0.
  const float* const* inputs = nullptr;
  // The weight column of each input: weights[k * weights_row + channel[c] * taps + t].
  const std::int32_t* channel = nullptr;
  int channels = 0;                       // active inputs; 0 computes bias and epilogue alone
  const std::int32_t* offsets = nullptr;  // `taps` offsets in floats, relative to inputs[c]
  int taps = 0;
  const float* weights = nullptr;  // OIHW, untouched
  std::int64_t weights_row = 0;    // floats from one kernel to the next: I * taps
  // Of one tap, with kernels side by side in the list: their weights lie in panels instead, see
  // planes/panels.h, and weights_row is the number of inputs. Inputs may then be in any order.
  bool in_panels = false;
  // What the next call reads in their place, for the same kernels: fetched ahead. May be nullptr.
  const float* next_weights = nullptr;
  const float* bias = nullptr;  // per kernel, or nullptr
  const std::int32_t* kernels =
      nullptr;  // active kernels, ascending: row in weights, bias, operands
  int kernel_count = 0;
  // Plane k starts (pixel (0,0)) at output + k * plane->stride; with `in_order`, the plane of the
  // kernel at position i of `kernels` at output + i * plane->stride. Planes may share one place,
  // with a stride of 0: it then holds any of them.
  float* output = nullptr;
  bool in_order = false;
  const Plane* plane = nullptr;  // of the output
  // Planes that no cache will hold until they are read: stored without being fetched before, where
  // that can be done. They begin at cache lines.
  bool past_caches = false;
  Epilogue epilogue;
  // [k] is set to 1 (relaxed atomic) when a stored pixel of k is not zero; may be nullptr.
  std::uint8_t* nonzero = nullptr;
  // Where the sums of planes are wanted: kLanes sums of each kernel k, from [k * kLanes] on, get
  // its pixels added, kLanes at a time in ascending order.
  float* lane_sums = nullptr;
};

// Depthwise: the kernel at position i of `kernels` reads the single input inputs[i], where it lies:
// filters of any size, stride and dilation, planes with any gap and border or none.
struct Depthwise {
  const float* const* inputs = nullptr;  // one per entry of `kernels`, at pixel (0,0)
  const Plane* in_plane = nullptr;
  Window window;
  const float* weights = nullptr;  // kernel k's taps start at weights + k * window.taps()
  const float* bias = nullptr;
  const std::int32_t* kernels = nullptr;
  int kernel_count = 0;
  float* output = nullptr;
  const Plane* plane = nullptr;
  Epilogue epilogue;
  std::uint8_t* nonzero = nullptr;
};

// y = epilogue(W x + b) for the active rows of W. Lanes run along the inputs; reads W once.
struct FullyConnected {
  const float* input = nullptr;  // `columns` contiguous floats
  std::int32_t columns = 0;
  // Active blocks of kLanes inputs, ascending (the others are all zero). The last may be short.
  const std::int32_t* blocks = nullptr;
  int block_count = 0;
  // All ones for inputs that count, else zeros: their weights are not looked at. nullptr: all
  // count. In whole groups of kLanes.
  const std::uint32_t* mask = nullptr;
  const float* weights = nullptr;  // [rows][columns]
  const float* bias = nullptr;
  const std::int32_t* kernels = nullptr;  // active rows
  int kernel_count = 0;
  float* output = nullptr;  // output[k]
  Epilogue
      epilogue;  // channel operands and `plane` operands alike are read at [k * channel_stride]
};

// The same for all rows of W, whose weights lie by input, see planes/by_input.h. Lanes run along
// the kernels; weights of inputs that are not listed are neither read nor fetched.
struct ByInput {
  const float* input = nullptr;          // contiguous
  const std::int32_t* listed = nullptr;  // of them; the others are all zero
  int listed_count = 0;
  const float* weights = nullptr;
  const float* bias = nullptr;
  int kernels = 0;
  float* output = nullptr;
  Epilogue epilogue;  // as in FullyConnected
};

// Inputs of one kernel whose 3x3 taps are to be transformed.
struct ListedWeights {
  const float* taps = nullptr;           // of all inputs, one behind the other
  int channels = 0;                      // so many
  const std::int32_t* listed = nullptr;  // of them, ascending
  int count = 0;                         // at least one
  const float* next = nullptr;  // as many taps of another kernel, fetched ahead; may be nullptr
};

struct WinogradOutput {
  WinogradMap map;
  float bias = 0;
  Epilogue epilogue;
  std::int32_t kernel = 0;     // for the epilogue's operands
  float* output = nullptr;     // its plane, at pixel (0,0)
  float* lane_sums = nullptr;  // its own, as in Convolution
};

// Kernels in lanes, of a 3x3 convolution of stride 1 whose map is small, see planes/planes.h.
struct KernelsInLanes {
  // Which kernels, side by side from the first of all, what is done with their sums, and where they
  // go. Weights are what taps_in_lanes made, panel after panel, and weights_row is that of the
  // taps; inputs, offsets and taps are not looked at.
  Convolution of;
  WinogradMap map;                 // of the output
  const float* patches = nullptr;  // of the inputs, one after the other
};

// Kernels of a 7x7 convolution of stride 2 by F(4 x 4, 4 x 4), see planes/planes.h.
struct StridedWinograd {
  // Which kernels, what is done with their sums, and where they go. Weights are what
  // strided_weights made; inputs, offsets, taps and lane_sums are not looked at.
  Convolution of;
  WinogradMap map;                   // of the output
  const float* patches = nullptr;    // [position][place in the list][tile]
  std::int64_t position_stride = 0;  // floats
  std::int64_t tiles = 0;            // floats from one place to the next
  float* scratch = nullptr;          // strided_scratch floats
};

// Multiply-adds of one iteration of Engine::fma_burst, whatever the instruction set.
constexpr int kFmaBurst = 768;

struct Engine {
  std::string_view name;  // "avx512", "avx2", "neon", "portable"

  // Kernels [first, last) of task.kernels (positions in the list), flat pixels [begin, end), both
  // multiples of kLanes (end == plane->flat at most). Clears neither lead nor tail: see
  // clear_border. However a task is cut into such pieces, the results are the same to the last bit.
  // convolve adds a few pixels past whole groups in an order of their own, with 120 KB of stack.
  void (*convolve)(const Convolution& task, int first, int last, int begin, int end) noexcept;
  // Kernels [first, last) of task.kernels, whole planes.
  void (*depthwise)(const Depthwise& task, int first, int last) noexcept;
  // Phases of one input plane; `in` and `out` point at pixel (0,0) (out: of the first phase plane).
  void (*split)(const Phases& task, const float* in, const Plane& in_plane, float* out) noexcept;
  // One plane; writes all `flat` floats of the output (zero in the gap), then applies the epilogue
  // for channel k.
  void (*pool)(const Pool& task, const float* in, const Plane& in_plane, float* out,
               const Plane& out_plane, const Epilogue& epilogue, int k) noexcept;
  // Over pixels. The sum is taken in double and relies on zeros in the gap.
  float (*plane_sum)(const float* in, const Plane& plane) noexcept;
  float (*plane_max)(const float* in, const Plane& plane) noexcept;  // NaN where there is one
  // Element-wise: out = epilogue(in) for channel k; in may equal out. Returns whether any stored
  // pixel is not zero.
  bool (*apply)(const Epilogue& epilogue, int k, const float* in, float* out,
                const Plane& plane) noexcept;
  // The same on a single number, to the same bits: what a channel that is constant becomes. Plane
  // operands are not allowed.
  float (*apply_to_constant)(const Epilogue& epilogue, int k, float x) noexcept;
  void (*fully_connected)(const FullyConnected& task, int first, int last) noexcept;
  // Adds listed inputs [first, last) times their weights to the sums, by_input_row(kernels) of
  // them, one after the other: to the same bits however a list is cut.
  void (*add_inputs)(const ByInput& task, int first, int last, float* sums) noexcept;
  // From the sums of so many parts of the list, one behind the other.
  void (*finish_sums)(const ByInput& task, const float* sums, int parts) noexcept;
  // Columns [first, last) of `kernels` rows of `columns` weights, the first of which come to lie
  // `row` floats apart at `to`; zeros up to whole groups of lanes.
  void (*weights_by_input)(const float* rows, int kernels, std::int64_t columns, std::int64_t first,
                           std::int64_t last, float* to, std::int64_t row) noexcept;
  // Pixels = value, gap = 0, over `flat`.
  void (*fill)(float* out, const Plane& plane, float value) noexcept;
  // Zeros in the lead and in the tail (not in the gap).
  void (*clear_border)(float* out, const Plane& plane) noexcept;
  // Of the listed planes; pixel (0,0) of plane k is at planes + k * plane.stride.
  void (*clear_borders)(float* planes, const Plane& plane, const std::int32_t* list,
                        int count) noexcept;
  // Dense rows of `width` floats (rows `in_row` floats apart, pixels `in_pixel` apart) into a
  // plane, gap zeroed; and back, to height * width contiguous floats.
  void (*load_plane)(const float* in, std::int64_t in_row, std::int64_t in_pixel, float* out,
                     const Plane& plane) noexcept;
  void (*store_plane)(const float* in, const Plane& plane, float* out) noexcept;
  // Float t of position p is at [p * position_stride + t], with room for whole groups of kLanes
  // tiles. Weights: of one kernel, one float per channel at each position.
  void (*winograd_weights)(int tile, const float* taps, int channels, float* out,
                           std::int64_t position_stride) noexcept;
  // The same for a panel of kernels, see planes/panels.h: zeros where there are fewer than kLanes.
  void (*winograd_panel)(int tile, const float* taps, std::int64_t kernel_stride, int kernels,
                         int channels, float* out, std::int64_t position_stride) noexcept;
  // The same for some inputs of one kernel, in whole vectors: what is behind them is written, too.
  void (*winograd_listed)(int tile, const ListedWeights& task, float* out,
                          std::int64_t position_stride) noexcept;
  // One channel's patches. `next` is the channel after it, whose rows may be asked for ahead, or
  // nullptr.
  void (*winograd_input)(const WinogradMap& map, const float* in, const float* next, float* out,
                         std::int64_t position_stride) noexcept;
  // Writes the rows of the plane that the tiles at hand cover, gap included, and after the last row
  // everything up to `flat`. Calls for the same plane must go from top to bottom. Returns whether
  // any stored pixel is not zero.
  bool (*winograd_output)(const WinogradOutput& task, const float* sums,
                          std::int64_t position_stride) noexcept;
  // With kernels in lanes: a panel of taps, zeros for kernels that do not exist; patches of inputs;
  // and products, sums and epilogue of all kernels of a panel.
  void (*taps_in_lanes)(const float* taps, std::int64_t kernel_stride, int kernels, int channels,
                        float* out) noexcept;
  void (*patches_in_lanes)(const WinogradMap& map, const float* const* inputs, int count,
                           float* out) noexcept;
  void (*kernels_in_lanes)(const KernelsInLanes& task, int panel) noexcept;
  // The same for 7x7 filters of stride 2. Weights: of one kernel, [position][channel][phase].
  void (*strided_weights)(const float* taps, int channels, float* out) noexcept;
  // One channel's four places, `tiles` floats apart; strided_scratch floats of scratch.
  void (*strided_input)(const WinogradMap& map, const float* in, float* out, std::int64_t tiles,
                        std::int64_t position_stride, float* scratch) noexcept;
  // Products, sums and epilogue of all kernels. Nothing but the rows of the tiles at hand is
  // written, and after the last row everything up to `flat`.
  void (*strided_kernels)(const StridedWinograd& task) noexcept;
  // Whether none of them is NaN or an infinity.
  bool (*all_finite)(const float* in, std::int64_t count) noexcept;
  // Performs iterations * kFmaBurst multiply-adds in registers and returns their sum: see peak.h.
  double (*fma_burst)(long iterations) noexcept;
};

// The engines built into this library that this machine can run, best first; the last is always
// "portable".
const std::vector<const Engine*>& engines();
// PDRT_ISA if set, else the best. Throws DeviceError naming the ones that can be had where PDRT_ISA
// cannot.
const Engine& select_engine();

}  // namespace pdrt::cpu
