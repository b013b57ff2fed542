// Winograd's algorithm with kernels in lanes, for small maps of which no kernel is ever off: taps
// are transformed as they are read, so that memory is read a quarter as much.
#pragma once

#include "run/ways.h"

namespace pdrt::run::winograd_in_lanes {

bool possible(const plan::Plan& plan, std::size_t step);
const float* pack(const plan::Plan& plan, std::size_t step, const cpu::Engine& engine, int threads,
                  PackedWeights& packed);
void run(const Frame& frame, const Group& group, const float* packed);

}  // namespace pdrt::run::winograd_in_lanes
