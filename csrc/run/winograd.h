// A 3x3 convolution of stride 1 by Winograd's algorithm: products of transformed patches.
#pragma once

#include "run/ways.h"

namespace pdrt::run::winograd {

std::string parameter(const plan::Plan& plan, std::size_t step);
bool possible(const plan::Plan& plan, std::size_t step);
double cost(const plan::Plan& plan, std::size_t step, std::int64_t kernels, std::int64_t channels);
const float* pack(const plan::Plan& plan, std::size_t step, const cpu::Engine& engine, int threads,
                  PackedWeights& packed);
void run(const Frame& frame, const Group& group, const float* packed);

}  // namespace pdrt::run::winograd
