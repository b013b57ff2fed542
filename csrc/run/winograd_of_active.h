// Winograd's algorithm with weights that are transformed as they are needed: those of the kernels
// and inputs that are on, side by side. Taps are less than half of what their transformed weights
// take, so that fewer bytes come from memory, and products find no gaps in their lists.
#pragma once

#include "run/ways.h"

namespace pdrt::run::winograd_of_active {

bool possible(const plan::Plan& plan, std::size_t step);
double cost(const plan::Plan& plan, std::size_t step, std::int64_t kernels, std::int64_t channels);
const float* pack(const plan::Plan& plan, std::size_t step, const cpu::Engine& engine, int threads,
                  PackedWeights& packed);
void run(const Frame& frame, const Group& group, const float* packed);

}  // namespace pdrt::run::winograd_of_active
