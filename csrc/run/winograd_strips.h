// What the ways by Winograd's algorithm have in common: the map in strips of rows of tiles, inputs
// transformed, products at every position, sums transformed to pixels. They differ in where the
// weights come from.
#pragma once

#include "run/ways.h"

namespace pdrt::run::winograd {

inline const plan::WinogradPlan& own_plan(const plan::Plan& plan, std::size_t step) {
  return plan.convolutions[step].winograd;
}

inline int divided(int count, int size) { return (count + size - 1) / size; }

// At every position, of kernels [first, last) of the task's list: row kernels[i - first] is that of
// place i, and a row's column channel[c] that of place c in the list of inputs.
struct Weights {
  const float* at = nullptr;
  std::int64_t position_stride = 0, row = 0;
  bool in_panels = false;
  bool from_memory = true;  // worth asking for ahead
  const std::int32_t* channel = nullptr;
  const std::int32_t* kernels = nullptr;
  int first = 0, last = 0;
};

// One group's strips, from top to bottom.
class Strips {
 public:
  Strips(const Frame& frame, const Group& group);

  // The next one, its inputs transformed; false: there is none.
  bool next();
  // What is left of the scratch.
  float* rest() const {
    return patches_ + own_.floats_of(group_.task.channels, group_.task.kernel_count);
  }
  // Multiply-adds of the products of so many kernels there.
  std::int64_t macs(int kernels) const {
    return std::int64_t{1} * kernels * group_.task.channels * own_.positions() * plane_.flat;
  }
  // The planes of those kernels there, on the frame's threads or on this one.
  void compute(const Weights& weights) const;
  void compute_here(const Weights& weights, int first, int last) const;

 private:
  void transform_inputs() const;
  void multiply(const Weights& weights, int position, int first, int last) const;
  void transform_sums(int first, int last) const;

  const Frame& frame_;
  const Group& group_;
  const plan::WinogradPlan& own_;
  WinogradMap map_;
  float* patches_;  // transformed inputs: [position][place in the list][tile]
  std::int64_t patch_stride_;
  float* sums_;  // of all kernels, the same way
  std::int64_t sums_stride_;
  Plane plane_;  // the tiles as pixels of one line
};

}  // namespace pdrt::run::winograd
