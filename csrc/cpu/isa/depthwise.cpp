// Depthwise convolution: one input plane per kernel.
#include "cpu/isa/functions.h"

namespace pdrt::cpu::PDRT_ISA {

constexpr int kChunk = 512;  // pixels between two calls of finish()
constexpr int kWide = 4;     // vectors per step

// kCount vectors of sums from `pixel` on. kTaps is 0 where the number of taps is not known at build
// time.
template <int kCount, int kTaps>
PDRT_INLINE void sum_taps(const Depthwise& task, const float* input, const float* weights,
                          float bias, float* sums) {
  const int taps = kTaps > 0 ? kTaps : task.taps;
  Floats sum[kCount];
  for (int i = 0; i < kCount; ++i) sum[i] = splat(bias);
#pragma GCC unroll 9
  for (int t = 0; t < taps; ++t) {
    const float* x = input + task.offsets[t];
    const Floats weight = splat(weights[t]);
    for (int i = 0; i < kCount; ++i) sum[i] += weight * load(x + i * kVector);
  }
  for (int i = 0; i < kCount; ++i) store(sums + i * kVector, sum[i]);
}

template <int kTaps>
static void run(const Depthwise& task, int first, int last, int begin, int end) {
  for (int position = first; position < last; ++position) {
    const int k = task.kernels[position];
    const float* input = task.inputs[position];
    const float* weights = task.weights + static_cast<std::int64_t>(k) * task.taps;
    const float bias = task.bias != nullptr ? task.bias[k] : 0.0f;
    float* output = task.output + static_cast<std::int64_t>(k) * task.plane->stride;
    bool seen = false;
    for (int chunk = begin; chunk < end; chunk += kChunk) {
      alignas(64) float sums[kChunk];
      const int stop = chunk + kChunk < end ? chunk + kChunk : end;
      int pixel = chunk;
      for (; pixel + kWide * kVector <= stop; pixel += kWide * kVector) {
        sum_taps<kWide, kTaps>(task, input + pixel, weights, bias, sums + (pixel - chunk));
      }
      for (; pixel < stop; pixel += kVector) {
        sum_taps<1, kTaps>(task, input + pixel, weights, bias, sums + (pixel - chunk));
      }
      seen |= finish(task.epilogue, k, sums, output, task.plane->mask, chunk, stop);
    }
    if (seen && task.nonzero != nullptr) mark(task.nonzero, k);
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
