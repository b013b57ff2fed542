// Depthwise convolution: one input plane per kernel.
#include "cpu/isa/functions.h"
#include "cpu/isa/stages.h"

namespace pdrt::cpu::PDRT_ISA {

// One kernel of a task.
struct Channel {
  std::int32_t k;
  const float* input;
  const float* weights;
  float bias;
  float* output;
};

// kCount vectors from `pixel` on; returns the stored bits. kTaps is 0 where the number of taps is
// not known at build time.
template <int kCount, int kTaps>
PDRT_INLINE Words compute(const Depthwise& task, const Channel& channel, int pixel) {
  Floats sums[1][kCount];
  unrolled<kCount>([&](int i) PDRT_LAMBDA { sums[0][i] = splat(channel.bias); });
  const auto add_tap = [&](int t) PDRT_LAMBDA {
    const float* x = channel.input + pixel + task.offsets[t];
    const Floats weight = splat(channel.weights[t]);
    unrolled<kCount>([&](int i) PDRT_LAMBDA { sums[0][i] += weight * load(x + i * kVector); });
  };
  if constexpr (kTaps > 0) {
    unrolled<kTaps>(add_tap);
  } else {
    for (int t = 0; t < task.taps; ++t) add_tap(t);
  }
  run_stages(task.epilogue, Place{&channel.k, pixel, PlaneOperands::pixels}, sums);
  Words mask[kCount];
  load_mask(task.plane->mask + pixel, mask);
  return store_pixels(sums[0], mask, channel.output + pixel);
}

// As many steps of kCount vectors as there is room for.
template <int kCount, int kTaps>
PDRT_INLINE Words steps(const Depthwise& task, const Channel& channel, int& pixel, int end) {
  Words seen = {};
  for (; pixel + kCount * kVector <= end; pixel += kCount * kVector) {
    seen |= compute<kCount, kTaps>(task, channel, pixel);
  }
  return seen;
}

template <int kTaps>
static void run(const Depthwise& task, int first, int last, int begin, int end) {
  for (int position = first; position < last; ++position) {
    const std::int32_t k = task.kernels[position];
    const Channel channel{k, task.inputs[position],
                          task.weights + static_cast<std::int64_t>(k) * task.taps,
                          task.bias != nullptr ? task.bias[k] : 0.0f,
                          task.output + static_cast<std::int64_t>(k) * task.plane->stride};
    Words seen = {};
    int pixel = begin;
    seen |= steps<8, kTaps>(task, channel, pixel, end);
    seen |= steps<4, kTaps>(task, channel, pixel, end);
    seen |= steps<1, kTaps>(task, channel, pixel, end);
    if (task.nonzero != nullptr && any_nonzero(seen)) mark(task.nonzero, k);
  }
}

void depthwise(const Depthwise& task, int first, int last, int begin, int end) noexcept {
  if (task.taps == 9) {
    run<9>(task, first, last, begin, end);
  } else {
    run<0>(task, first, last, begin, end);
  }
}

}  // namespace pdrt::cpu::PDRT_ISA
