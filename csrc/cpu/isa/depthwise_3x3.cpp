// Depthwise convolution with 3x3 taps at stride 1 or 2, one column of which may lie left of the map
// and one row on either end: most there are. Blocks of some rows of outputs and one or two vectors
// of columns, with no question to ask inside: what is known of the columns is found out once for
// all planes, and the ends of a map have code of their own. With vectors of 64 bytes; with shorter
// ones, of which a row has more, the questions of depthwise_rows.cpp are no loss.
#include "cpu/isa/functions.h"
#include "cpu/isa/lanes.h"
#include "cpu/isa/rows.h"
#include "cpu/isa/stages.h"

namespace pdrt::cpu::PDRT_ISA {
namespace {

// Vectors of columns at once: 32 registers hold the sums of seven rows, nine weights, and the taps
// of one row. At stride 2 these come out of twice as many columns.
template <int kStride>
constexpr int kMostAcross = kStride == 1 ? 2 : 1;

// Columns that are computed at once, from x on.
struct Across {
  int x, vectors;
  Lanes pixels, room;  // of the last vector: outputs; outputs or gap
  Lanes inputs[2];     // of the last vector of inputs, at stride 2 of the last two: those there are
  // The inputs on both sides: where they are in a row, and all lanes if they exist, else none.
  int left, right;
  Lanes has_left, has_right;
};

// How many vectors of columns a map may have for all this to be kept.
constexpr int kMostGroups = 64;

template <int kStride>
Across across_from(int x, const Depthwise& task) {
  const int width = task.plane->width, in_width = task.in_plane->width;
  const int vectors = x + kVector < width ? kMostAcross<kStride> : 1;
  const int last = x + (vectors - 1) * kVector, behind = kStride * (last + kVector);
  Across across;
  across.x = x;
  across.vectors = vectors;
  across.pixels = lanes_between(0, width - last);
  across.room = lanes_between(0, task.plane->row - last);
  for (int i = 0; i < 2; ++i)
    across.inputs[i] = lanes_between(0, in_width - kStride * last - i * kVector);
  across.left = larger_of(0, kStride * x - 1);
  across.right = smaller_of(behind, in_width - 1);
  across.has_left = lanes_between(0, x > 0 ? kVector : 0);
  across.has_right = lanes_between(0, behind < in_width ? kVector : 0);
  return across;
}

// A plane of the task.
struct OnePlane {
  const float* input;
  float* output;
  const float* weights;
  const float* bias;
  Place place;
};

// The taps of one row: [column of the filter][vector].
template <int kStride, int kVectors>
PDRT_INLINE void read(const float* row, const Across& across, Floats (&taps)[3][kVectors]) {
  const float* from = row + kStride * across.x;
  const Floats left = only(splat(row[across.left]), across.has_left);
  if constexpr (kStride == 2) {
    const Floats x = load(from, across.inputs[0], Floats{});
    const Floats y = load(from + kVector, across.inputs[1], Floats{});
    taps[1][0] = evens(x, y);
    taps[2][0] = odds(x, y);
    taps[0][0] = preceded(taps[2][0], left);
  } else {
    Floats(&x)[kVectors] = taps[1];
    unrolled<kVectors - 1>([&](int v) PDRT_LAMBDA { x[v] = load(from + v * kVector); });
    x[kVectors - 1] = load(from + (kVectors - 1) * kVector, across.inputs[0], Floats{});
    const Floats right = only(splat(row[across.right]), across.has_right);
    taps[0][0] = preceded(x[0], left);
    unrolled<kVectors - 1>([&](int v) PDRT_LAMBDA {
      taps[0][v + 1] = preceded(x[v + 1], x[v]);
      taps[2][v] = shifted(x[v], x[v + 1]);
    });
    taps[2][kVectors - 1] = shifted(x[kVectors - 1], right);
  }
}

// Where a block begins: its row of outputs, and the row of inputs under its first taps.
struct Down {
  int y, top;
};

// kRows rows of outputs. kAbove, kBelow: the first, or the last row of inputs is none of the map's.
// Returns the stored bits.
template <int kStride, int kVectors, int kRows, bool kAbove, bool kBelow>
Words compute(const Depthwise& task, const OnePlane& plane, const Across& columns,
              const Down& down) {
  constexpr int kInputRows = (kRows - 1) * kStride + 3;
  const Across across = columns;  // which no store can change
  const std::int64_t step = task.in_plane->row, out_step = task.plane->row;
  Floats weights[9];
  unrolled<9>([&](int t) PDRT_LAMBDA { weights[t] = in_register(splat(plane.weights[t])); });
  Floats sums[1][kRows * kVectors];
  unrolled<kRows * kVectors>([&](int i) PDRT_LAMBDA { sums[0][i] = splat(*plane.bias); });
  const float* row = plane.input + down.top * step;
  unrolled<kInputRows>([&](int r) PDRT_LAMBDA {
    const bool outside = (kAbove && r == 0) || (kBelow && r == kInputRows - 1);
    if (!outside) {
      Floats taps[3][kVectors];
      read<kStride>(row, across, taps);
      unrolled<kRows>([&](int y) PDRT_LAMBDA {
        const int i = r - y * kStride;  // of the filter
        if (i < 0 || i >= 3) return;
        unrolled<3>([&](int j) PDRT_LAMBDA {
          unrolled<kVectors>([&](int v) PDRT_LAMBDA {
            sums[0][y * kVectors + v] += weights[3 * i + j] * taps[j][v];
          });
        });
      });
    }
    row += step;
  });
  for (int s = 0; s < task.epilogue.count; ++s)
    run_cheap_stage(task.epilogue.stages[s], plane.place, sums);
  float* to = plane.output + down.y * out_step + across.x;
  Words seen = {};
  unrolled<kRows>([&](int y) PDRT_LAMBDA {
    unrolled<kVectors - 1>([&](int v) PDRT_LAMBDA {
      seen |= bits(sums[0][y * kVectors + v]);
      store(to + v * kVector, sums[0][y * kVectors + v]);
    });
    const Floats last = only(sums[0][y * kVectors + kVectors - 1], across.pixels);
    seen |= bits(last);
    store(to + (kVectors - 1) * kVector, last, across.room);
    to += out_step;
  });
  return seen;
}

template <int kStride, int kVectors, int kRows>
PDRT_INLINE Words compute_rows(const Depthwise& task, const OnePlane& plane, const Across& across,
                               int y) {
  const Down down{y, y * kStride - task.window.pad_top};
  const bool above = down.top < 0;
  const bool below = down.top + (kRows - 1) * kStride + 3 > task.in_plane->height;
  if (above && below)
    return compute<kStride, kVectors, kRows, true, true>(task, plane, across, down);
  if (above) return compute<kStride, kVectors, kRows, true, false>(task, plane, across, down);
  if (below) return compute<kStride, kVectors, kRows, false, true>(task, plane, across, down);
  return compute<kStride, kVectors, kRows, false, false>(task, plane, across, down);
}

// All rows of some columns.
template <int kStride, int kVectors>
Words compute_columns(const Depthwise& task, const OnePlane& plane, const Across& across) {
  constexpr int kRows = kDepthwiseRows;
  const int height = task.plane->height;
  Words seen = {};
  int y = 0;
  for (; y + kRows <= height; y += kRows)
    seen |= compute_rows<kStride, kVectors, kRows>(task, plane, across, y);
  for (; y + 2 <= height; y += 2)
    seen |= compute_rows<kStride, kVectors, 2>(task, plane, across, y);
  for (; y < height; ++y) seen |= compute_rows<kStride, kVectors, 1>(task, plane, across, y);
  return seen;
}

template <int kStride>
void run(const Depthwise& task, int first, int last) {
  const Plane& plane = *task.plane;
  Across groups[kMostGroups];
  int count = 0;
  for (int x = 0; x < plane.width; x += groups[count - 1].vectors * kVector)
    groups[count++] = across_from<kStride>(x, task);
  const float no_bias = 0;
  for (int position = first; position < last; ++position) {
    const std::int32_t k = task.kernels[position];
    const OnePlane one{
        task.inputs[position], task.output + static_cast<std::int64_t>(k) * plane.stride,
        task.weights + static_cast<std::int64_t>(k) * 9,
        task.bias != nullptr ? task.bias + k : &no_bias, Place{&k, 0, PlaneOperands::pixels}};
    Words seen = {};
    for (int g = 0; g < count; ++g) {
      seen |= groups[g].vectors == 1
                  ? compute_columns<kStride, 1>(task, one, groups[g])
                  : compute_columns<kStride, kMostAcross<kStride>>(task, one, groups[g]);
    }
    clear_gap(one.output, plane);
    if (task.nonzero != nullptr && any_nonzero(seen)) mark(task.nonzero, k);
  }
}

// Whether the stages run in registers.
bool are_cheap(const Epilogue& epilogue) {
  for (int s = 0; s < epilogue.count; ++s) {
    const EpilogueStage& stage = epilogue.stages[s];
    if (!is_cheap(stage.stage) || stage.operand == Operand::plane) return false;
  }
  return true;
}

}  // namespace

bool depthwise_3x3(const Depthwise& task, int first, int last) noexcept {
  if (PDRT_VECTOR_BYTES < 64) return false;
  const Window& w = task.window;
  const Plane &in = *task.in_plane, &out = *task.plane;
  const int stride = w.stride_h;
  const bool taps = w.filter_h == 3 && w.filter_w == 3 && w.dilation_h == 1 && w.dilation_w == 1;
  const bool strides = (stride == 1 || stride == 2) && w.stride_w == stride;
  const int below = (out.height - 1) * stride - w.pad_top + 3 - in.height;
  const bool ends = w.pad_left == 1 && w.pad_top <= 1 && below <= 1 &&
                    (out.width - 1) * stride < in.width && out.width <= kMostGroups * kVector;
  if (!taps || !strides || !ends || !are_cheap(task.epilogue)) return false;
  stride == 1 ? run<1>(task, first, last) : run<2>(task, first, last);
  return true;
}

}  // namespace pdrt::cpu::PDRT_ISA
