// The memory of weights in a step's file: which pages of it are wanted, and which no longer.
#pragma once

#include "plan/plan.h"

namespace pdrt::run {

// The step is about to read all its weights.
void fetch_weights(const plan::Plan& plan, std::size_t step);

// Another form of them is what it will usually read from now on.
void release_weights(const plan::Plan& plan, std::size_t step);

}  // namespace pdrt::run
