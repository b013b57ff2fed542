// Depthwise convolution: one input plane per kernel. Blocks of several output rows and one vector
// of columns: a row of the input, once loaded, serves every output row whose filter it lies under.
#include "cpu/isa/functions.h"
#include "cpu/isa/rows.h"
#include "cpu/isa/stages.h"

namespace pdrt::cpu::PDRT_ISA {

// One kernel of a task.
struct RowChannel {
  std::int32_t k;
  const float* input;
  const float* weights;
  Floats bias;
  float* output;
  Epilogue stages;  // those that run in registers
};

// Where a block of outputs lies.
struct Block {
  int y, x;
};

// Adds every tap of the rows of one block to its sums, the rows of the filter in order.
template <int kFilter, int kStride, bool kEdge, int kRows>
PDRT_INLINE void add_rows(const Depthwise& task, const RowChannel& channel, const Block& at,
                          Floats (&sums)[1][kRows]) {
  const Plane& plane = *task.in_plane;
  const Columns<kFilter, kStride> columns(at.x * kStride - task.window.pad_left, plane.width);
  const int top = at.y * kStride - task.window.pad_top;
  const int before = -top, behind = plane.height - top;
  const float* rows = channel.input + static_cast<std::int64_t>(top) * plane.row;
  Floats weights[kFilter * kFilter];
  unrolled<kFilter * kFilter>([&](int t) PDRT_LAMBDA {
    weights[t] = splat(channel.weights[t]);
    if (kFilter == 3) weights[t] = in_register(weights[t]);
  });
  unrolled<(kRows - 1) * kStride + kFilter>([&](int row) PDRT_LAMBDA {
    if (__builtin_expect(row < before || row >= behind, 0)) return;
    Floats loads[Columns<kFilter, kStride>::kLoads];
    Floats taps[kFilter];
    columns.template read<kEdge>(rows + static_cast<std::int64_t>(row) * plane.row, Floats{},
                                 loads);
    columns.take(loads, taps);
    unrolled<kRows>([&](int y) PDRT_LAMBDA {
      const int i = row - y * kStride;  // of the filter
      if (i < 0 || i >= kFilter) return;
      unrolled<kFilter>([&](int j)
                            PDRT_LAMBDA { sums[0][y] += weights[i * kFilter + j] * taps[j]; });
    });
  });
}

// Filters of any kind, a tap at a time.
template <int kRows>
PDRT_INLINE void add_taps(const Depthwise& task, const RowChannel& channel, const Block& at,
                          Floats (&sums)[1][kRows]) {
  const Plane& plane = *task.in_plane;
  const Window& window = task.window;
  const float* weight = channel.weights;
  for (int i = 0; i < window.filter_h; ++i) {
    for (int j = 0; j < window.filter_w; ++j, ++weight) {
      const int first = at.x * window.stride_w + j * window.dilation_w - window.pad_left;
      unrolled<kRows>([&](int y) PDRT_LAMBDA {
        const int row = (at.y + y) * window.stride_h + i * window.dilation_h - window.pad_top;
        if (row < 0 || row >= plane.height) return;
        const float* from = channel.input + static_cast<std::int64_t>(row) * plane.row;
        Floats x = {};
        if (window.stride_w == 1) {
          x = load(from + first, lanes_between(-first, plane.width - first), x);
        } else {
          for (int lane = 0; lane < kVector; ++lane) {
            const int column = first + lane * window.stride_w;
            if (column >= 0 && column < plane.width) x[lane] = from[column];
          }
        }
        sums[0][y] += splat(*weight) * x;
      });
    }
  }
}

// One block, zero in what of the gap lies in its vector; returns the stored bits. kFilter 0: any.
template <int kFilter, int kStride, bool kEdge, int kRows>
static Words compute(const Depthwise& task, const RowChannel& channel, const Block& at) {
  Floats sums[1][kRows];
  unrolled<kRows>([&](int y) PDRT_LAMBDA { sums[0][y] = channel.bias; });
  if constexpr (kFilter == 0) {
    add_taps(task, channel, at, sums);
  } else {
    add_rows<kFilter, kStride, kEdge>(task, channel, at, sums);
  }
  const Place place{&channel.k, 0, PlaneOperands::pixels};
  for (int s = 0; s < channel.stages.count; ++s) {
    run_cheap_stage(channel.stages.stages[s], place, sums);
  }
  return store_rows(sums[0], channel.output, *task.plane, at.y, at.x);
}

// kRows rows of outputs from row y on.
template <int kFilter, int kStride, int kRows>
static Words compute_rows(const Depthwise& task, const RowChannel& channel, int y) {
  Words seen = {};
  for (int x = 0; x < task.plane->width; x += kVector) {
    if constexpr (kFilter == 0) {
      seen |= compute<0, 0, true, kRows>(task, channel, {y, x});
    } else if (Columns<kFilter, kStride>::inside(x * kStride - task.window.pad_left,
                                                 task.in_plane->width)) {
      seen |= compute<kFilter, kStride, false, kRows>(task, channel, {y, x});
    } else {
      seen |= compute<kFilter, kStride, true, kRows>(task, channel, {y, x});
    }
  }
  return seen;
}

template <int kFilter, int kStride>
static void run(const Depthwise& task, int first, int last) {
  constexpr int kRows = kDepthwiseRows;  // of a block
  const Plane& plane = *task.plane;
  bool in_registers = true;
  for (int s = 0; s < task.epilogue.count; ++s) {
    const EpilogueStage& stage = task.epilogue.stages[s];
    in_registers &= is_cheap(stage.stage) && stage.operand != Operand::plane;
  }
  for (int position = first; position < last; ++position) {
    const std::int32_t k = task.kernels[position];
    const RowChannel channel{k,
                             task.inputs[position],
                             task.weights + static_cast<std::int64_t>(k) * task.window.taps(),
                             splat(task.bias != nullptr ? task.bias[k] : 0.0f),
                             task.output + static_cast<std::int64_t>(k) * plane.stride,
                             in_registers ? task.epilogue : Epilogue{}};
    Words seen = {};
    int y = 0;
    for (; y + kRows <= plane.height; y += kRows) {
      seen |= compute_rows<kFilter, kStride, kRows>(task, channel, y);
    }
    for (; y + 2 <= plane.height; y += 2) {
      seen |= compute_rows<kFilter, kStride, 2>(task, channel, y);
    }
    for (; y < plane.height; ++y) seen |= compute_rows<kFilter, kStride, 1>(task, channel, y);
    clear_gap(channel.output, plane);
    bool nonzero = any_nonzero(seen);
    if (!in_registers) {
      nonzero = finish(task.epilogue, k, channel.output, channel.output, plane.mask, 0, plane.flat);
    }
    if (task.nonzero != nullptr && nonzero) mark(task.nonzero, k);
  }
}

void depthwise_rows(const Depthwise& task, int first, int last) noexcept {
  const Window& w = task.window;
  const bool alike = w.filter_h == w.filter_w && w.stride_h == w.stride_w && w.dilation_h == 1 &&
                     w.dilation_w == 1;
  if (alike && w.filter_h == 3 && w.stride_h == 1) return run<3, 1>(task, first, last);
  if (alike && w.filter_h == 3 && w.stride_h == 2) return run<3, 2>(task, first, last);
  if (alike && w.filter_h == 5 && w.stride_h == 1) return run<5, 1>(task, first, last);
  if (alike && w.filter_h == 5 && w.stride_h == 2) return run<5, 2>(task, first, last);
  run<0, 0>(task, first, last);
}

}  // namespace pdrt::cpu::PDRT_ISA
