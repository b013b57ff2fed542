// Columns of weights times pixels: a weight of every kernel of a tile times the pixels of one tap
// of one input. On NEON a multiply-add takes its weight from any lane of a vector, so that one load
// of four neighbouring weights serves four columns.
#pragma once

#include "cpu/isa/simd.h"

namespace pdrt::cpu::PDRT_ISA {

#if defined(__aarch64__)
constexpr bool kWeightsByLane = true;

// The same pointer, as one that is not known before x is: the register that x frees may then hold
// what it points at.
PDRT_INLINE const float* opaque_after(const float* pointer, Floats x) {
  asm("" : "+r"(pointer) : "w"(x));
  return pointer;
}

// sum += x * y[lane]. Written with operators, every sum is a new vector to GCC, which then copies
// some from register to register, or through memory, in loops as long as these.
PDRT_INLINE void add_product(Floats x, Floats y, int lane, Floats& sum) {
  asm("fmla %0.4s, %1.4s, %2.s[%3]" : "+w"(sum) : "w"(x), "w"(y), "i"(lane));
}

// Four columns from `column` on; at(lane) are the pixels of each. 24 sums, the weights of six
// kernels and two vectors of pixels fill the 32 registers.
template <int kKernels, int kVectors, typename At>
PDRT_INLINE void add_four(const float* const (&weights)[kKernels], std::int64_t column,
                          const At& at, Floats (&sums)[kKernels][kVectors]) {
  static_assert(kVectors % 2 == 0);
  Floats four[kKernels];
  unrolled<kKernels>([&](int i) PDRT_LAMBDA { four[i] = load(weights[i] + column); });
  // Together, so that one instruction loads two pointers or offsets.
  const float* from[4];
  unrolled<4>([&](int lane) PDRT_LAMBDA { from[lane] = opaque(at(lane)); });
  unrolled<4>([&](int lane) PDRT_LAMBDA {
    const float* pixels = from[lane];
    unrolled<kVectors / 2>([&](int pair) PDRT_LAMBDA {
      const int j = 2 * pair;
      const Floats x = load(pixels + j * kVector);
      const Floats y = load(pixels + (j + 1) * kVector);
      unrolled<kKernels>([&](int i) PDRT_LAMBDA {
        add_product(x, four[i], lane, sums[i][j]);
        add_product(y, four[i], lane, sums[i][j + 1]);
      });
      pixels = opaque_after(pixels, sums[kKernels - 1][j + 1]);
    });
  });
}
#else
constexpr bool kWeightsByLane = false;
#endif

// Whether four columns of rows of `row` floats are within a vector's reach.
PDRT_INLINE bool are_near(const std::int32_t* columns, std::int64_t row) {
  return columns[3] - columns[0] < kVector && columns[0] + kVector <= row;
}

#if PDRT_VECTOR_BYTES == 64
constexpr bool kWeightsByShuffle = true;

template <int kValue>
struct Number {
  static constexpr int value = kValue;
};

// Four neighbouring inputs of one tap, for a single vector of pixels. Every multiply-add then needs
// a weight of its own, and the processor loads fewer than two in the time of two multiply-adds:
// half of the kernels get theirs four to a load, and by shuffles, which are idle otherwise.
template <int kKernels, typename At>
PDRT_INLINE void add_four(const float* const (&weights)[kKernels], std::int64_t column,
                          const At& at, Floats (&sums)[kKernels][1]) {
  constexpr int kShuffled = kKernels / 2;
  Floats fours[kShuffled + 1];
  unrolled<kShuffled>([&](int i) PDRT_LAMBDA { fours[i] = repeated(weights[i] + column); });
  const auto add = [&](auto lane) PDRT_LAMBDA {
    constexpr int kLane = decltype(lane)::value;
    const Floats x = load(at(kLane));
    unrolled<kKernels>([&](int i) PDRT_LAMBDA {
      const Floats weight = i < kShuffled ? lane_of_four<kLane>(fours[i < kShuffled ? i : 0])
                                          : splat(weights[i][column + kLane]);
      sums[i][0] += weight * x;
    });
    keep(x);
  };
  add(Number<0>{});
  add(Number<1>{});
  add(Number<2>{});
  add(Number<3>{});
}

// The same for four inputs of a list with gaps, at columns[0 ... 3], all of them near.
template <int kKernels, typename At>
PDRT_INLINE void add_near_four(const float* const (&weights)[kKernels], const std::int32_t* columns,
                               const At& at, Floats (&sums)[kKernels][1]) {
  constexpr int kShuffled = kKernels / 2;
  const std::int64_t first = opaque(std::int64_t{columns[0]});
  Floats near[kShuffled + 1];
  unrolled<kShuffled>([&](int i) PDRT_LAMBDA { near[i] = load(weights[i] + first); });
  unrolled<4>([&](int lane) PDRT_LAMBDA {
    const std::int64_t column = opaque(std::int64_t{columns[lane]});
    const Words index = splat_word(static_cast<std::int32_t>(column - first));
    const Floats x = load(at(lane));
    unrolled<kKernels>([&](int i) PDRT_LAMBDA {
      const Floats weight =
          i < kShuffled ? lanes_of(near[i < kShuffled ? i : 0], index) : splat(weights[i][column]);
      sums[i][0] += weight * x;
    });
    keep(x);
  });
}
#else
constexpr bool kWeightsByShuffle = false;
#endif

template <int kKernels, int kVectors>
PDRT_INLINE void add_one(const float* const (&weights)[kKernels], std::int64_t column,
                         const float* pixels, Floats (&sums)[kKernels][kVectors]) {
  Floats x[kVectors];
  unrolled<kVectors>([&](int j) PDRT_LAMBDA { x[j] = load(pixels + j * kVector); });
  unrolled<kKernels>([&](int i) PDRT_LAMBDA {
    const Floats weight = splat(weights[i][column]);
    unrolled<kVectors>([&](int j) PDRT_LAMBDA { sums[i][j] += weight * x[j]; });
    // With one vector the multiply-add takes the weight from memory.
    if constexpr (kVectors > 1) keep(weight);
  });
  unrolled<kVectors>([&](int j) PDRT_LAMBDA { keep(x[j]); });
}

// kColumns columns from `first` on; at(i) are the pixels of column i of them.
template <int kColumns, int kKernels, int kVectors, typename At>
PDRT_INLINE void add_columns(const float* const (&weights)[kKernels], std::int64_t first,
                             const At& at, Floats (&sums)[kKernels][kVectors]) {
  constexpr int kInFours = kWeightsByLane ? kColumns / 4 * 4 : 0;
  if constexpr (kInFours > 0) {
    unrolled<kInFours / 4>([&](int four) PDRT_LAMBDA {
      add_four(
          weights, first + 4 * four, [&](int lane) PDRT_LAMBDA { return at(4 * four + lane); },
          sums);
    });
  }
  unrolled<kColumns - kInFours>([&](int i) PDRT_LAMBDA {
    add_one(weights, first + kInFours + i, opaque(at(kInFours + i)), sums);
  });
}

}  // namespace pdrt::cpu::PDRT_ISA
