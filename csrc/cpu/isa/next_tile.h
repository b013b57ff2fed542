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

// Lines of a row that tiles of several vectors ask for with every input, where they ask the
// second-level cache; 0: as elsewhere. AVX2 gains nothing from more than that, and may lose.
constexpr int kLinesAtOnce = PDRT_VECTOR_BYTES == 64 ? 2 : 0;

// The tile that is asked for: its kernels; with every input, or with kInputsAtOnce.
struct Next {
  const float* weights;
  const std::int32_t* kernels;
  Pace by_one, by_four;
  Cache cache;
  // Behind the weights: where its pixels go, by kernel; nullptr: not asked for. And, if so, planes
  // that other tiles read. So many floats of each.
  const float* outputs = nullptr;
  std::int64_t outputs_stride = 0;
  const float* const* inputs = nullptr;
  std::int64_t inputs_offset = 0;
  int inputs_count = 0;
  int floats = 0;
};

// Asks the caches for the weights of another tile while this one computes: rows of weights lie
// kilobytes apart, and each is over before the hardware has learnt where it leads. One tap walks
// the rows one after the other, a few lines per input, and so do more taps where one load brings
// the weights of several; elsewhere these have the time to ask for the same columns of every row,
// but not for more than six rows. Behind the weights the walk may go on through planes, where
// pixels are as scattered; with more taps, the places of results are asked for as a tile begins.
template <int kKernels, int kVectors, int kTaps>
class NextTile {
 public:
  NextTile(const Convolution& task, const Next& next)
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
      ask_cache(next_.cache, [&](auto fetch) PDRT_LAMBDA {
        // Shorter vectors have no time to count lines, unless there is only one.
        constexpr bool kCounted = kVectors == 1 || PDRT_VECTOR_BYTES == 64;
        constexpr int kOfInputs = (kKernels * kTaps * kInputs + kLanes - 1) / kLanes;
        constexpr bool kMore =
            kVectors > 1 && kLinesAtOnce > 0 && decltype(fetch)::kCache == Cache::second_level;
        const int lines = kMore ? kLinesAtOnce : kCounted ? pace.lines : kOfInputs;
        for (int i = 0; i < lines; ++i) fetch(walk_ + i * kLanes);
      });
      walk_ += pace.step;
      if (__builtin_expect(walk_ >= end_, 0)) next_row();
    }
  }

  // More taps than one: the places of a tile of these kernels, all at once.
  inline __attribute__((always_inline)) void ask_for_outputs(const std::int32_t* kernels,
                                                             const float* outputs) const {
    if (kTaps == 1 || kVectors == 1 || kLinesAtOnce == 0 || next_.outputs == nullptr) return;
    unrolled<kKernels>([&](int i) PDRT_LAMBDA {
      const float* place = outputs + kernels[i] * next_.outputs_stride;
      unrolled<kVectors>([&](int j)
                             PDRT_LAMBDA { Fetch<Cache::second_level>()(place + j * kVector); });
    });
  }

 private:
  static constexpr bool kWalks = kTaps == 1 || (kTaps > 1 && kWeightsByLane);

  inline __attribute__((always_inline)) void next_row() {
    const int rows = kKernels + (next_.outputs != nullptr ? kKernels + next_.inputs_count : 0);
    row_ = row_ + 1 < rows ? row_ + 1 : 0;
    if (row_ < kKernels) {
      walk_ = row_of(row_);
      end_ = walk_ + task_.weights_row;
      return;
    }
    const int i = row_ - kKernels;
    walk_ = i < kKernels ? next_.outputs + next_.kernels[i] * next_.outputs_stride
                         : next_.inputs[i - kKernels] + next_.inputs_offset;
    end_ = walk_ + next_.floats;
  }

  const float* row_of(int i) const { return next_.weights + next_.kernels[i] * task_.weights_row; }

  const Convolution& task_;
  const Next& next_;
  const float* rows_[kKernels];
  const float* walk_;
  const float* end_;
  int row_ = 0;
};

}  // namespace pdrt::cpu::PDRT_ISA
