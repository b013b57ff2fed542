// Windows row by row, over planes of any geometry: what the taps of one filter row read for a
// vector of neighbouring outputs, and how rows of outputs are stored. Nothing but pixels is read.
#pragma once

#include "cpu/isa/functions.h"
#include "cpu/isa/lanes.h"

namespace pdrt::cpu::PDRT_ISA {

// kTaps taps next to each other at stride 1 or 2. Output 0 of the vector has its first tap on
// column `first` of rows of `width` pixels, which may lie outside, as may all others.
template <int kTaps, int kStride>
class Columns {
 public:
  // At stride 2 two neighbouring taps come out of the same pair of loads. An odd one, the last, is
  // the tap two columns before it moved by one lane: its load brings that lane alone.
  static constexpr int kLoads = kTaps;
  static_assert(kStride == 1 || (kStride == 2 && kTaps > 1));

  Columns(int first, int width) : first_(first) {
    for (int i = 0; i < kLoads; ++i) {
      const int at = first + offset(i);
      lanes_[i] = lanes_between(-at, width - at);
    }
  }

  // Whether everything is inside a row: then the lanes need not be looked at.
  static bool inside(int first, int width) {
    const int span = kStride == 1 ? kTaps - 1 + kVector : kTaps - 2 + 2 * kVector;
    return first >= 0 && first + span <= width;
  }

  // kEdge: `outside` where there is no pixel.
  template <bool kEdge>
  inline __attribute__((always_inline)) void read(const float* row, Floats outside,
                                                  Floats (&loads)[kLoads]) const {
    unrolled<kLoads>([&](int i) PDRT_LAMBDA {
      const float* from = row + first_ + offset(i);
      if constexpr (kEdge) {
        loads[i] = load(from, lanes_[i], outside);
      } else {
        loads[i] = is_single(i) ? splat(*from) : load(from);
      }
    });
  }

  // taps[t] = the columns of tap t.
  static inline __attribute__((always_inline)) void take(const Floats (&loads)[kLoads],
                                                         Floats (&taps)[kTaps]) {
    unrolled<kTaps>([&](int t) PDRT_LAMBDA {
      if (kStride == 1) {
        taps[t] = loads[t];
      } else if (is_single(t)) {
        taps[t] = shifted(taps[t - 2], loads[t]);
      } else {
        const int pair = t / 2 * 2;
        taps[t] =
            t % 2 == 0 ? evens(loads[pair], loads[pair + 1]) : odds(loads[pair], loads[pair + 1]);
      }
    });
  }

 private:
  static constexpr bool is_single(int i) {
    return kStride == 2 && kTaps % 2 == 1 && i == kTaps - 1;
  }
  static constexpr int offset(int i) {
    if (kStride == 1) return i;
    return is_single(i) ? kTaps - 3 + 2 * kVector : i / 2 * 2 + i % 2 * kVector;
  }

  int first_;
  Lanes lanes_[kLoads];
};

// rows[y] into row at_y + y of a plane, from column x on: pixels, and zeros in what of the gap a
// vector covers. Returns the stored bits, all vectors ored.
template <int kRows>
PDRT_INLINE Words store_rows(const Floats (&rows)[kRows], float* pixels, const Plane& plane,
                             int at_y, int x) {
  float* to = pixels + static_cast<std::int64_t>(at_y) * plane.row + x;
  Words seen = {};
  if (x + kVector <= plane.width) {
    unrolled<kRows>([&](int y) PDRT_LAMBDA {
      seen |= bits(rows[y]);
      store(to + static_cast<std::int64_t>(y) * plane.row, rows[y]);
    });
  } else {
    const Lanes inside = lanes_between(0, plane.width - x);
    const Lanes room = lanes_between(0, plane.row - x);
    unrolled<kRows>([&](int y) PDRT_LAMBDA {
      const Floats kept = only(rows[y], inside);
      seen |= bits(kept);
      store(to + static_cast<std::int64_t>(y) * plane.row, kept, room);
    });
  }
  return seen;
}

// Zeros where store_rows does not reach: the rest of the gap, and behind the last row.
static inline void clear_gap(float* pixels, const Plane& plane) {
  const int from = smaller_of((plane.width + kVector - 1) / kVector * kVector, plane.row);
  for (int y = 0; y < plane.height; ++y) {
    for (int x = from; x < plane.row; ++x) pixels[static_cast<std::int64_t>(y) * plane.row + x] = 0;
  }
  for (int at = plane.height * plane.row; at < plane.flat; ++at) pixels[at] = 0;
}

}  // namespace pdrt::cpu::PDRT_ISA
