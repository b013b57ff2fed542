// Depthwise convolution: one input plane per kernel. Where input and output lie alike, with zeros
// around the rows, a tap is one offset and a plane one flat loop.
#include "cpu/isa/functions.h"
#include "cpu/isa/stages.h"
#include "cpu/processor.h"

namespace pdrt::cpu::PDRT_ISA {

// One kernel of a task.
struct Channel {
  std::int32_t k;
  const float* input;
  const float* weights;
  float bias;
  float* output;
};

// How far taps reach beside a pixel, in rows and columns.
struct Reach {
  int up, down, left, right;

  explicit Reach(const Window& w)
      : up(w.pad_top),
        down((w.filter_h - 1) * w.dilation_h - w.pad_top),
        left(w.pad_left),
        right((w.filter_w - 1) * w.dilation_w - w.pad_left) {}
};

// Whether every tap of every pixel finds a pixel or a zero of the same plane at its offset.
static bool is_flat(const Depthwise& task) {
  const Plane& in = *task.in_plane;
  const Plane& out = *task.plane;
  if (task.window.stride_h != 1 || task.window.stride_w != 1) return false;
  if (in.height != out.height || in.width != out.width || in.row != out.row) return false;
  const Reach reach(task.window);
  const int gap = in.row - in.width;
  const std::int64_t before = static_cast<std::int64_t>(reach.up) * in.row + reach.left;
  const std::int64_t behind = static_cast<std::int64_t>(reach.down) * in.row + reach.right;
  return reach.left <= gap && reach.right <= gap && before <= in.lead &&
         behind <= in.stride - in.lead - in.flat;
}

// kCount vectors from `pixel` on; returns the stored bits. kFilter 3: nine taps next to each other;
// 0: any.
template <int kCount, int kFilter>
PDRT_INLINE Words compute(const Depthwise& task, const Channel& channel, int pixel) {
  const Window& window = task.window;
  Floats sums[1][kCount];
  unrolled<kCount>([&](int i) PDRT_LAMBDA { sums[0][i] = splat(channel.bias); });
  const auto add_tap = [&](const float* x, float tap) PDRT_LAMBDA {
    const Floats weight = splat(tap);
    unrolled<kCount>([&](int i) PDRT_LAMBDA { sums[0][i] += weight * load(x + i * kVector); });
  };
  const int row = task.plane->row;
  const float* first = channel.input + pixel - window.pad_top * row - window.pad_left;
  if constexpr (kFilter == 3) {
    unrolled<9>([&](int t)
                    PDRT_LAMBDA { add_tap(first + t / 3 * row + t % 3, channel.weights[t]); });
  } else {
    const float* weight = channel.weights;
    for (int i = 0; i < window.filter_h; ++i) {
      const float* x = first + i * window.dilation_h * row;
      for (int j = 0; j < window.filter_w; ++j) add_tap(x + j * window.dilation_w, *weight++);
    }
  }
  run_stages(task.epilogue, Place{&channel.k, pixel, PlaneOperands::pixels}, sums);
  Words mask[kCount];
  load_mask(task.plane->mask + pixel, mask);
  return store_pixels(sums[0], mask, channel.output + pixel);
}

// As many steps of kCount vectors as there is room for.
template <int kCount, int kFilter>
PDRT_INLINE Words steps(const Depthwise& task, const Channel& channel, int& pixel) {
  Words seen = {};
  for (; pixel + kCount * kVector <= task.plane->flat; pixel += kCount * kVector) {
    seen |= compute<kCount, kFilter>(task, channel, pixel);
  }
  return seen;
}

template <int kFilter>
static void run(const Depthwise& task, int first, int last) {
  for (int position = first; position < last; ++position) {
    const std::int32_t k = task.kernels[position];
    const Channel channel{k, task.inputs[position],
                          task.weights + static_cast<std::int64_t>(k) * task.window.taps(),
                          task.bias != nullptr ? task.bias[k] : 0.0f,
                          task.output + static_cast<std::int64_t>(k) * task.plane->stride};
    Words seen = {};
    int pixel = 0;
    seen |= steps<8, kFilter>(task, channel, pixel);
    seen |= steps<4, kFilter>(task, channel, pixel);
    seen |= steps<1, kFilter>(task, channel, pixel);
    if (task.nonzero != nullptr && any_nonzero(seen)) mark(task.nonzero, k);
  }
}

void depthwise(const Depthwise& task, int first, int last) noexcept {
  const Window& w = task.window;
  const bool flat = is_flat(task);
  if (!(flat && many_streams_are_slow()) && depthwise_3x3(task, first, last)) return;
  if (!flat) return depthwise_rows(task, first, last);
  const bool nine = w.filter_h == 3 && w.filter_w == 3 && w.dilation_h == 1 && w.dilation_w == 1;
  if (nine) return run<3>(task, first, last);
  run<0>(task, first, last);
}

}  // namespace pdrt::cpu::PDRT_ISA
