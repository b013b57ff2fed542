// Between the caller's arrays and the session's values.
#pragma once

#include "run/frame.h"

namespace pdrt::run {

// One input: into planes, or used where it lies if it is dense and contiguous.
void load_input(const Frame& frame, ValueId id, const TensorView& from);

// One output to contiguous memory; channels that are off become their constants.
void store_output(const Frame& frame, ValueId id, const TensorView& to);

}  // namespace pdrt::run
