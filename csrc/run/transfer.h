// Between the caller's arrays and the session's values.
#pragma once

#include "run/frame.h"

namespace pdrt::run {

// Inputs in the order of the plan's: into planes, or used where they lie if they are dense and
// contiguous.
void load_inputs(const Frame& frame, const std::vector<TensorView>& inputs);

// One output to contiguous memory; channels that are off become their constants.
void store_output(const Frame& frame, ValueId id, const TensorView& to);

}  // namespace pdrt::run
