// Winograd: the nine taps of as many filters as a vector has lanes, to positions.
#pragma once

#include "cpu/isa/shuffles.h"
#include "cpu/isa/winograd.h"

namespace pdrt::cpu::PDRT_ISA {

// The nine taps of kVector inputs, each a vector.
PDRT_INLINE void load_taps(const float* from, Floats (&taps)[9]) {
  Floats by_column[3][3];  // [j][i]: column j of the rows of taps of a third of the inputs
  unrolled<3>([&](int i) PDRT_LAMBDA {
    const float* const third = from + 3 * i * kVector;
    const Floats mixed[3] = {load(third), load(third + kVector), load(third + 2 * kVector)};
    Floats columns[3];
    deinterleave(mixed, columns);
    unrolled<3>([&](int j) PDRT_LAMBDA { by_column[j][i] = columns[j]; });
  });
  unrolled<3>([&](int j) PDRT_LAMBDA {
    Floats rows[3];
    deinterleave(by_column[j], rows);
    unrolled<3>([&](int i) PDRT_LAMBDA { taps[3 * i + j] = rows[i]; });
  });
}

// G g G^T: put(position, weights) for each.
template <int kTile, typename Put>
PDRT_INLINE void transform_taps(const Floats (&taps)[9], const Put& put) {
  constexpr int kSide = kTile + 2;
  along_both_axes<3, kSide>(
      [](const auto& from, auto& to) PDRT_LAMBDA { transform_weights(from, to); },
      [&](int i, int j) PDRT_LAMBDA { return taps[3 * i + j]; },
      [&](int i, int j, Floats weights) PDRT_LAMBDA { put(i * kSide + j, weights); });
}

}  // namespace pdrt::cpu::PDRT_ISA
