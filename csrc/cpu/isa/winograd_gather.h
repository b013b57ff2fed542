// The nine taps of filters that lie anywhere.
#pragma once

#include "cpu/isa/winograd_taps.h"

namespace pdrt::cpu::PDRT_ISA {

// Floats that are read of each, and the taps, one vector each.
#if PDRT_VECTOR_BYTES == 64
constexpr int kReadable = 16;

PDRT_INLINE void gather_taps(const float* const (&filters)[kVector], Floats (&taps)[9]) {
  Floats eight[8], ninth[8];  // of filters i and i + 8
  unrolled<8>([&](int i) PDRT_LAMBDA {
    const Floats low = load(filters[i]), high = load(filters[i + 8]);
    eight[i] = pick<PiecesInTurn<16, 8, 0>>(low, high);
    ninth[i] = pick<PiecesInTurn<16, 8, 1>>(low, high);
  });
  // Both halves are eight by eight taps, to be transposed.
  Floats ones[8], twos[8];
  unrolled<4>([&](int i) PDRT_LAMBDA {
    ones[2 * i] = pick<PiecesInTurn<4, 1, 0>>(eight[2 * i], eight[2 * i + 1]);
    ones[2 * i + 1] = pick<PiecesInTurn<4, 1, 1>>(eight[2 * i], eight[2 * i + 1]);
    ninth[i] = pick<PiecesInTurn<4, 1, 0>>(ninth[2 * i], ninth[2 * i + 1]);
  });
  unrolled<2>([&](int i) PDRT_LAMBDA {
    unrolled<2>([&](int j) PDRT_LAMBDA {
      twos[4 * i + 2 * j] = pick<PiecesInTurn<4, 2, 0>>(ones[4 * i + j], ones[4 * i + 2 + j]);
      twos[4 * i + 2 * j + 1] = pick<PiecesInTurn<4, 2, 1>>(ones[4 * i + j], ones[4 * i + 2 + j]);
    });
    ninth[i] = pick<PiecesInTurn<4, 2, 0>>(ninth[2 * i], ninth[2 * i + 1]);
  });
  unrolled<4>([&](int i) PDRT_LAMBDA {
    taps[i] = pick<PiecesInTurn<8, 4, 0>>(twos[i], twos[i + 4]);
    taps[i + 4] = pick<PiecesInTurn<8, 4, 1>>(twos[i], twos[i + 4]);
  });
  taps[8] = pick<PiecesInTurn<8, 4, 0>>(ninth[0], ninth[1]);
}
#else
constexpr int kReadable = 9;

PDRT_INLINE void gather_taps(const float* const (&filters)[kVector], Floats (&taps)[9]) {
  float side_by_side[9 * kVector];
  for (int i = 0; i < kVector; ++i)
    std::memcpy(side_by_side + 9 * i, filters[i], 9 * sizeof(float));
  load_taps(side_by_side, taps);
}
#endif

}  // namespace pdrt::cpu::PDRT_ISA
