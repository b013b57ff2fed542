// Inputs that hold what is no number: NaN and the infinities.
#pragma once

#include "cpu/engine.h"
#include "pdrt/model.h"

namespace pdrt::run {

// Throws InputError that begins with `source` and names the input, how many of its values are not
// finite, and the first of them. Arrays on a device are not looked at.
void check_finite(const std::string& source, const Spec& spec, const TensorView& view,
                  const cpu::Engine& engine, int threads);

}  // namespace pdrt::run
