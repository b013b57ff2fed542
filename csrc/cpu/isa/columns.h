// What the taps of one filter row read for a vector of neighbouring outputs.
#pragma once

#include "cpu/isa/lanes.h"

namespace pdrt::cpu::PDRT_ISA {

// kTaps taps next to each other at stride 1 or 2. Output 0 of the vector has its first tap on
// column `first` of rows of `width` pixels, which may lie outside, as may all others.
template <int kTaps, int kStride>
class Columns {
 public:
  Columns(int first, int width) : first_(first) {
    for (int i = 0; i < kLoads; ++i) {
      const int at = first + offset(i);
      lanes_[i] = lanes_between(-at, width - at);
    }
  }

  // Whether everything is inside a row: then the lanes need not be looked at.
  static bool inside(int first, int width) {
    return first >= 0 && first + offset(kLoads - 1) + kVector <= width;
  }

  // taps[t] = the columns of tap t; kEdge: `outside` where there is no pixel.
  template <bool kEdge>
  inline __attribute__((always_inline)) void read(const float* row, Floats outside,
                                                  Floats (&taps)[kTaps]) const {
    Floats loads[kLoads];
    unrolled<kLoads>([&](int i) PDRT_LAMBDA {
      const float* from = row + first_ + offset(i);
      loads[i] = kEdge ? load(from, lanes_[i], outside) : load(from);
    });
    unrolled<kTaps>([&](int t) PDRT_LAMBDA {
      if constexpr (kStride == 1) {
        taps[t] = loads[t];
      } else {
        const int pair = t / 2 * 2;
        taps[t] =
            t % 2 == 0 ? evens(loads[pair], loads[pair + 1]) : odds(loads[pair], loads[pair + 1]);
      }
    });
  }

 private:
  // At stride 2 two neighbouring taps come out of the same pair of loads.
  static constexpr int kLoads = kStride == 1 ? kTaps : (kTaps + 1) / 2 * 2;
  static constexpr int offset(int i) { return kStride == 1 ? i : i / 2 * 2 + i % 2 * kVector; }

  int first_;
  Lanes lanes_[kLoads];
};

}  // namespace pdrt::cpu::PDRT_ISA
