// What a tile of a convolution fetches for one of those after it.
#pragma once

#include "cpu/isa/ask.h"
#include "cpu/isa/columns.h"

namespace pdrt::cpu::PDRT_ISA {

// How rows of weights are asked for: so many lines, then so many floats on.
struct Pace {
  int lines, step;
  // Of `rows` of `floats` each, all within so many turns.
  Pace(std::int64_t floats, int rows, int turns) {
    const int per_row = larger_of(1, turns / rows);
    step = static_cast<int>((floats + per_row - 1) / per_row);
    lines = (step + kLanes - 1) / kLanes;
  }
};

constexpr int kInputsAtOnce = 4;

// The tile whose weights are asked for: its kernels; with every input, or with kInputsAtOnce.
struct Next {
  const float* weights;
  const std::int32_t* kernels;
  Pace by_one, by_four;
  Cache cache;
};

// Asks the caches for the weights of another tile while this one computes: rows of weights lie
// kilobytes apart, and each is over before the hardware has learnt where it leads. One tap walks
// the rows one after the other, a few lines per input, and so do more taps where one load brings
// the weights of several; elsewhere these have the time to ask for the same columns of every row,
// but not for more than six rows.
template <int kKernels, int kVectors, int kTaps>
class NextWeights {
 public:
  NextWeights(const Convolution& task, const Next& next)
      : task_(task), next_(next), walk_(row_of(0)), end_(walk_ + task.weights_row) {
    for (int i = 0; i < kKernels; ++i) rows_[i] = kWeightsByLane ? opaque(row_of(i)) : row_of(i);
  }

  // For so many inputs, the weights of the first of which begin at `column`. Always inlined: GCC
  // takes a function that does nothing but this for one that does nothing.
  template <int kInputs = 1>
  inline __attribute__((always_inline)) void ask(std::int64_t column) {
    if constexpr (!kWalks || kInputs * kTaps == kLanes) {
      constexpr int kRows = kWalks || kKernels <= 6 ? kKernels : 0;
      ask_cache(next_.cache, [&](auto fetch) PDRT_LAMBDA {
        unrolled<kRows>([&](int i) PDRT_LAMBDA { fetch(rows_[i] + column); });
        // The taps of one input may lie across two lines.
        if constexpr (!kWalks && kTaps > 1)
          unrolled<kRows>([&](int i) PDRT_LAMBDA { fetch(rows_[i] + column + kTaps - 1); });
      });
    } else {
      static_assert(kInputs == 1 || kInputs == kInputsAtOnce);
      const Pace& pace = kInputs == 1 ? next_.by_one : next_.by_four;
      // With more vectors there are no registers left to count lines in.
      constexpr int kLines = (kKernels * kTaps * kInputs + kLanes - 1) / kLanes;
      const int lines = kVectors > 1 ? kLines : pace.lines;
      ask_cache(next_.cache, [&](auto fetch) PDRT_LAMBDA {
        for (int i = 0; i < lines; ++i) fetch(walk_ + i * kLanes);
      });
      walk_ += pace.step;
      if (__builtin_expect(walk_ >= end_, 0)) {
        row_ = row_ + 1 < kKernels ? row_ + 1 : 0;
        walk_ = row_of(row_);
        end_ = walk_ + task_.weights_row;
      }
    }
  }

 private:
  static constexpr bool kWalks = kTaps == 1 || (kTaps > 1 && kWeightsByLane);

  const float* row_of(int i) const { return next_.weights + next_.kernels[i] * task_.weights_row; }

  const Convolution& task_;
  const Next& next_;
  const float* rows_[kKernels];
  const float* walk_;
  const float* end_;
  int row_ = 0;
};

}  // namespace pdrt::cpu::PDRT_ISA
