// Windows row by row, over planes of any geometry: what the taps of one filter row read for a
// vector of neighbouring outputs, and how rows of outputs are stored. Nothing but pixels is read.
#pragma once

#include "cpu/isa/functions.h"
#include "cpu/isa/lanes.h"

namespace pdrt::cpu::PDRT_ISA {

// kTaps taps next to each other at stride 1 or 2. Output 0 of the vector has its first tap on
// column `first` of rows of `width` pixels, which may lie outside, as may all others.
//
// Vectors are loaded where they begin a cache line more often than not, and few of them: a load
// that lies across two lines takes as long as several multiply-adds. At stride 1 three taps come
// out of one load, in the middle, and single columns on both sides. At stride 2 two neighbouring
// taps come out of the same pair of loads, and an odd one, the first, is the tap two columns behind
// it moved by one lane: its load brings that lane alone.
template <int kTaps, int kStride>
class Columns {
 public:
  static constexpr int kLoads = kTaps;
  static_assert(kStride == 1 || (kStride == 2 && kTaps > 1));

  Columns(int first, int width) : first_(first) {
    for (int i = 0; i < kLoads; ++i) {
      const int at = first + offset(i);
      lanes_[i] = lanes_between(-at, width - at);
      has_[i] = at >= 0 && at < width;
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
      if (is_single(i)) {
        loads[i] = !kEdge || has_[i] ? splat(*from) : outside;
      } else {
        loads[i] = kEdge ? load(from, lanes_[i], outside) : load(from);
      }
    });
  }

  // taps[t] = the columns of tap t.
  static inline __attribute__((always_inline)) void take(const Floats (&loads)[kLoads],
                                                         Floats (&taps)[kTaps]) {
    if constexpr (kAround) {
      taps[0] = preceded(loads[1], loads[0]);
      taps[1] = loads[1];
      taps[2] = shifted(loads[1], loads[2]);
    } else if constexpr (kStride == 1) {
      unrolled<kTaps>([&](int t) PDRT_LAMBDA { taps[t] = loads[t]; });
    } else {
      unrolled<kTaps / 2>([&](int pair) PDRT_LAMBDA {
        const int t = kTaps % 2 + 2 * pair;
        taps[t] = evens(loads[t], loads[t + 1]);
        taps[t + 1] = odds(loads[t], loads[t + 1]);
      });
      if constexpr (kTaps % 2 == 1) taps[0] = preceded(taps[2], loads[0]);
    }
  }

 private:
  static constexpr bool kAround = kStride == 1 && kTaps == 3;
  static constexpr bool is_single(int i) {
    return kAround ? i != 1 : kStride == 2 && kTaps % 2 == 1 && i == 0;
  }
  static constexpr int offset(int i) {
    if (kAround) return i == 2 ? kVector + 1 : i;
    if (kStride == 1 || is_single(i)) return i;
    const int in_pairs = i - kTaps % 2;
    return kTaps % 2 + in_pairs / 2 * 2 + in_pairs % 2 * kVector;
  }

  int first_;
  Lanes lanes_[kLoads];
  bool has_[kLoads];
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
  const int from = smaller_of((plane.width + kVector - 1) & -kVector, plane.row);
  for (int y = 0; y < plane.height && from < plane.row; ++y) {
    for (int x = from; x < plane.row; ++x) pixels[static_cast<std::int64_t>(y) * plane.row + x] = 0;
  }
  for (int at = plane.height * plane.row; at < plane.flat; at += kVector) {
    store(pixels + at, Floats{}, lanes_between(0, plane.flat - at));
  }
}

}  // namespace pdrt::cpu::PDRT_ISA
