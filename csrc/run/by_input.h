// Fully connected layers whose weights lie by input, see planes/by_input.h.
#pragma once

#include "run/frame.h"
#include "run/packed_weights.h"

namespace pdrt::run {

const float* pack_by_input(const plan::Plan& plan, std::size_t step, const cpu::Engine& engine,
                           int threads, PackedWeights& packed);
void run_by_input(const Frame& frame, std::size_t step);

// Floats for the sums of all samples that are computed at once.
std::int64_t sums_by_input(const plan::Plan& plan);

}  // namespace pdrt::run
