// Fully connected layers whose weights lie in panels.
#pragma once

#include "run/frame.h"
#include "run/packed_weights.h"

namespace pdrt::run {

const float* pack_panels(const plan::Plan& plan, std::size_t step, const cpu::Engine& engine,
                         int threads, PackedWeights& packed);
void run_in_panels(const Frame& frame, std::size_t step);

}  // namespace pdrt::run
