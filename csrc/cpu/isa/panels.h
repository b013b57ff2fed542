// Convolutions of one tap whose weights lie in panels, see planes/panels.h.
#pragma once

#include "cpu/isa/ask.h"
#include "cpu/isa/columns.h"
#include "cpu/isa/tile_ends.h"
#include "planes/panels.h"

namespace pdrt::cpu::PDRT_ISA {

// Weights are asked for so many inputs before they are needed, across the ends of panels: what a
// core waits for memory, in multiply-adds of the smallest tiles.
constexpr int kInputsAhead = 128;

// Inputs [.., end) of the list: while input c is computed, the cache is asked for weights of input
// c + places of the list, in a panel at `weights`.
struct AskAhead {
  const float* weights;
  int places;
  int end;
};

// The two panels a tile asks for, in order.
struct PanelsAhead {
  AskAhead of[2];
  Cache cache;
};

// The panels of a piece of work, from the first to the last.
class PanelRange {
 public:
  // Of kernels [first, last) of the list.
  PanelRange(const Convolution& task, int first, int last)
      : task_(task),
        first_(task.kernels[first] / kLanes),
        end_(task.kernels[last - 1] / kLanes + 1) {}

  // What tiles of a panel ask for. `after`: the weights with which the same panels begin again, if
  // other ones than at hand.
  PanelsAhead ahead_of(int panel, const float* after) const {
    const int inputs = larger_of(1, task_.channels);
    const int next = panel + kInputsAhead / inputs, places = kInputsAhead % inputs;
    return {{{at(next, after), places, task_.channels - places},
             {at(next + 1, after), places - task_.channels, task_.channels}},
            cache_to_ask()};
  }

 private:
  const float* at(int panel, const float* after) const {
    const float* weights = task_.weights;
    if (panel >= end_) {
      panel = first_ + (panel - end_) % (end_ - first_);
      if (after != nullptr) weights = after;
    }
    return weights + panel * task_.weights_row * kLanes;
  }

  const Convolution& task_;
  const int first_, end_;
};

// One input: its weights for the kernels of a tile, side by side, times its pixels.
template <int kKernels, int kVectors>
PDRT_INLINE void add_input(const float* weights, const float* pixels,
                           Floats (&sums)[kKernels][kVectors]) {
#if defined(__aarch64__)
  // Whole fours: weights of further kernels, or of the next input, may be among them.
  constexpr int kFours = (kKernels + 3) / 4;
  Floats fours[kFours];
  unrolled<kFours>([&](int i) PDRT_LAMBDA { fours[i] = load(weights + 4 * i); });
  unrolled<kVectors>([&](int j) PDRT_LAMBDA {
    const Floats x = load(pixels + j * kVector);
    unrolled<kKernels>([&](int i) PDRT_LAMBDA { add_product(x, fours[i / 4], i % 4, sums[i][j]); });
  });
#else
  Floats x[kVectors];
  unrolled<kVectors>([&](int j) PDRT_LAMBDA { x[j] = load(pixels + j * kVector); });
  const auto add = [&](int i, Floats weight) PDRT_LAMBDA {
    unrolled<kVectors>([&](int j) PDRT_LAMBDA { sums[i][j] += weight * x[j]; });
    if constexpr (kVectors > 1) keep(weight);
  };
#if PDRT_VECTOR_BYTES == 64
  // See add_four: with one vector, loads are what is short.
  constexpr int kFours = kVectors > 1 ? 0 : kKernels / 2 / 4;
  unrolled<kFours>([&](int i) PDRT_LAMBDA {
    const Floats four = repeated(weights + 4 * i);
    add(4 * i, lane_of_four<0>(four));
    add(4 * i + 1, lane_of_four<1>(four));
    add(4 * i + 2, lane_of_four<2>(four));
    add(4 * i + 3, lane_of_four<3>(four));
  });
#else
  constexpr int kFours = 0;
#endif
  unrolled<kKernels - 4 * kFours>(
      [&](int i) PDRT_LAMBDA { add(4 * kFours + i, splat(weights[4 * kFours + i])); });
  unrolled<kVectors>([&](int j) PDRT_LAMBDA { keep(x[j]); });
#endif
}

// `count` tiles of kernels of one panel, one behind the other.
template <int kKernels, int kVectors>
static void tiles_in_panel(const Convolution& task, const std::int32_t* kernels, int begin,
                           int count, Finish how, const PanelsAhead& ahead) {
  const float* const weights = task.weights + panel_place(*kernels, task.weights_row);
  const Outputs<kKernels> outputs(task, kernels);
  for (int i = 0; i < count; ++i, begin += kVectors * kVector) {
    Floats sums[kKernels][kVectors];
    start_tile(task, kernels, sums);
    const std::int64_t offset = std::int64_t{begin} + task.offsets[0];
    int c = 0;
    for (const AskAhead& next : ahead.of) {
      const std::int32_t* const later = task.channel + next.places;
      for (; c < next.end; ++c) {
        ask_cache(ahead.cache,
                  [&](auto fetch) PDRT_LAMBDA { fetch(next.weights + later[c] * kLanes); });
        add_input(weights + task.channel[c] * kLanes, task.inputs[c] + offset, sums);
      }
    }
    finish_tile(task, kernels, outputs, begin, how, sums);
  }
}

}  // namespace pdrt::cpu::PDRT_ISA
