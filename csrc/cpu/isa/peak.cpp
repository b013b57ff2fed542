// Nothing but multiply-adds, to know what the machine could do.
#include "cpu/isa/functions.h"

namespace pdrt::cpu::PDRT_ISA {

double fma_burst(long iterations) noexcept {
  // Enough independent chains to fill two pipes of latency four or five, few enough for sixteen
  // registers.
  constexpr int kChains = 12;
  constexpr int kSteps = kFmaBurst / (kChains * kVector);
  static_assert(kSteps * kChains * kVector == kFmaBurst);
  Floats sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = splat(static_cast<float>(i));
  Floats factor = splat(0.999f);
  Floats term = splat(0.001f);
  for (long n = 0; n < iterations; ++n) {
#pragma GCC unroll 16
    for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 16
      for (int i = 0; i < kChains; ++i) sums[i] = sums[i] * factor + term;
    }
  }
  Floats total = {};
  for (int i = 0; i < kChains; ++i) total += sums[i];
  return static_cast<double>(sum_of(total));
}

}  // namespace pdrt::cpu::PDRT_ISA
