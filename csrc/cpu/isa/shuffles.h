// Interleaving: vectors that hold every kStep-th float, and the same floats in a row.
#pragma once

#include <utility>

#include "cpu/isa/simd.h"

namespace pdrt::cpu::PDRT_ISA {

using LaneNumbers = std::make_integer_sequence<int, kVector>;

// The vector whose lane l is number Index::of(l) of the 2 * kVector floats in x, y.
template <typename Index, int... kLane>
PDRT_INLINE Floats pick(Floats x, Floats y, std::integer_sequence<int, kLane...>) {
  return __builtin_shufflevector(x, y, Index::of(kLane)...);
}
template <typename Index>
PDRT_INLINE Floats pick(Floats x, Floats y) {
  return pick<Index>(x, y, LaneNumbers{});
}

// Lanes from kFirst on, of x and y in turn.
template <int kFirst>
struct InTurn {
  static constexpr int of(int lane) { return kFirst + lane / 2 + lane % 2 * kVector; }
};
// Every third float of x, y, z from kFirst on: those in x and y, then those in z put behind them.
template <int kFirst>
struct EveryThird {
  static constexpr int of(int lane) {
    const int at = 3 * lane + kFirst;
    return at < 2 * kVector ? at : 0;
  }
};
template <int kFirst>
struct EveryThirdBehind {
  static constexpr int of(int lane) {
    const int at = 3 * lane + kFirst;
    return at < 2 * kVector ? lane : at - kVector;
  }
};
// Vector kPart of x, y, z in turn: lanes of x and y, then those of z put between them.
template <int kPart>
struct InTurnOfThree {
  static constexpr int of(int lane) {
    const int at = kPart * kVector + lane;
    return at / 3 + (at % 3 == 1 ? kVector : 0);
  }
};
template <int kPart>
struct InTurnOfThreeBetween {
  static constexpr int of(int lane) {
    const int at = kPart * kVector + lane;
    return at % 3 == 2 ? kVector + at / 3 : lane;
  }
};
// In every group of lanes pieces of kWidth lanes of x and y in turn, from their lower or their
// upper halves.
template <int kGroup, int kWidth, int kUpper>
struct PiecesInTurn {
  static constexpr int of(int lane) {
    const int in_group = lane % kGroup, piece = in_group / kWidth;
    return lane / kGroup * kGroup + kUpper * kGroup / 2 + piece / 2 * kWidth + in_group % kWidth +
           piece % 2 * kVector;
  }
};
struct NextLane {
  static constexpr int of(int lane) { return lane + 1; }
};

// Lanes moved down by one, `last` in the one that gets free.
PDRT_INLINE Floats shifted(Floats x, float last) { return pick<NextLane>(x, splat(last)); }

// out[j][l] = float number kStep * l + j of those in v.
PDRT_INLINE void deinterleave(const Floats (&v)[2], Floats (&out)[2]) {
  out[0] = evens(v[0], v[1]);
  out[1] = odds(v[0], v[1]);
}
PDRT_INLINE void deinterleave(const Floats (&v)[3], Floats (&out)[3]) {
  out[0] = pick<EveryThirdBehind<0>>(pick<EveryThird<0>>(v[0], v[1]), v[2]);
  out[1] = pick<EveryThirdBehind<1>>(pick<EveryThird<1>>(v[0], v[1]), v[2]);
  out[2] = pick<EveryThirdBehind<2>>(pick<EveryThird<2>>(v[0], v[1]), v[2]);
}
template <int kStep>
PDRT_INLINE void deinterleave(const Floats (&v)[kStep], Floats (&out)[kStep]) {
  constexpr int kHalf = kStep / 2;
  Floats even[kHalf], odd[kHalf], of_even[kHalf], of_odd[kHalf];
  unrolled<kHalf>([&](int i) PDRT_LAMBDA {
    even[i] = evens(v[2 * i], v[2 * i + 1]);
    odd[i] = odds(v[2 * i], v[2 * i + 1]);
  });
  deinterleave(even, of_even);
  deinterleave(odd, of_odd);
  unrolled<kHalf>([&](int i) PDRT_LAMBDA {
    out[2 * i] = of_even[i];
    out[2 * i + 1] = of_odd[i];
  });
}

// The way back.
PDRT_INLINE void interleave(const Floats (&v)[2], Floats (&out)[2]) {
  out[0] = pick<InTurn<0>>(v[0], v[1]);
  out[1] = pick<InTurn<kVector / 2>>(v[0], v[1]);
}
PDRT_INLINE void interleave(const Floats (&v)[3], Floats (&out)[3]) {
  out[0] = pick<InTurnOfThreeBetween<0>>(pick<InTurnOfThree<0>>(v[0], v[1]), v[2]);
  out[1] = pick<InTurnOfThreeBetween<1>>(pick<InTurnOfThree<1>>(v[0], v[1]), v[2]);
  out[2] = pick<InTurnOfThreeBetween<2>>(pick<InTurnOfThree<2>>(v[0], v[1]), v[2]);
}
template <int kStep>
PDRT_INLINE void interleave(const Floats (&v)[kStep], Floats (&out)[kStep]) {
  constexpr int kHalf = kStep / 2;
  Floats even[kHalf], odd[kHalf], of_even[kHalf], of_odd[kHalf];
  unrolled<kHalf>([&](int i) PDRT_LAMBDA {
    even[i] = v[2 * i];
    odd[i] = v[2 * i + 1];
  });
  interleave(even, of_even);
  interleave(odd, of_odd);
  unrolled<kHalf>([&](int i) PDRT_LAMBDA {
    out[2 * i] = pick<InTurn<0>>(of_even[i], of_odd[i]);
    out[2 * i + 1] = pick<InTurn<kVector / 2>>(of_even[i], of_odd[i]);
  });
}

}  // namespace pdrt::cpu::PDRT_ISA
