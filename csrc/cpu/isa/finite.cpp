// Whether numbers are numbers.
#include "cpu/isa/functions.h"

namespace pdrt::cpu::PDRT_ISA {

// x - x is +0, no bit of which is set, where x is finite, and NaN elsewhere.
bool all_finite(const float* in, std::int64_t count) noexcept {
  constexpr int kChains = 4;
  constexpr int kStep = kChains * kVector;
  Words found[kChains] = {};
  std::int64_t i = 0;
  for (; i + kStep <= count; i += kStep) {
    unrolled<kChains>([&](int chain) PDRT_LAMBDA {
      const Floats x = load(in + i + chain * kVector);
      found[chain] |= bits(x - x);
    });
  }
  bool finite = !any((found[0] | found[1]) | (found[2] | found[3]));
  for (; i < count; ++i) finite &= in[i] - in[i] == 0.0f;
  return finite;
}

}  // namespace pdrt::cpu::PDRT_ISA
