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
  for (int i = 0; i < kChains; ++i) sums[i] = splat(static_cast<float>(iterations + i));
  // Of a size that leaves the sums as they are. They are what is added to, as NEON can do that in
  // place alone.
  const Floats factor = splat(1e-9f);
  for (long n = 0; n < iterations; ++n) {
#pragma GCC unroll 16
    for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 16
      for (int i = 0; i < kChains; ++i) sums[i] += sums[i] * factor;
    }
  }
  Floats total = {};
  for (int i = 0; i < kChains; ++i) total += sums[i];
  return static_cast<double>(sum_of(total));
}

}  // namespace pdrt::cpu::PDRT_ISA
