// The memory of weights in a step's file: which pages of it are wanted, and which no longer.
#pragma once

#include "plan/plan.h"

namespace pdrt::run {

// The weights as they came; nullptr: the step has none.
const float* stored_weights(const plan::Step& step);

// The step is about to read all its weights, or rows [first, last): those kernels', or inputs'.
void fetch_weights(const plan::Plan& plan, std::size_t step);
void fetch_rows(const plan::Plan& plan, std::size_t step, std::int64_t first, std::int64_t last);

// Another form of them is what it will usually read from now on.
void release_weights(const plan::Plan& plan, std::size_t step);
void release_rows(const plan::Plan& plan, std::size_t step, std::int64_t first, std::int64_t last);

}  // namespace pdrt::run
