// Which implementation runs a step: for each form an ordered list, fastest first. One row each.
#pragma once

#include <string_view>

#include "run/frame.h"
#include "run/packed_weights.h"

namespace pdrt::run {

struct Implementation {
  std::string_view name;
  // Whether it can run the step. Where several can, the first in the table does.
  bool (*accepts)(const plan::Step& step);
  void (*run)(const Frame& frame, std::size_t step);
  // Weights in the form it needs, packed[step * kWays]; nullptr: as they are, or see ways.h.
  const float* (*pack)(const plan::Plan& plan, std::size_t step, const cpu::Engine& engine,
                       int threads, PackedWeights& packed) = nullptr;
};

// The first row that accepts; the last row, the reference, accepts everything.
const Implementation& implementation_of(const plan::Step& step);

}  // namespace pdrt::run
