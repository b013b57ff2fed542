// Finding the switches by data flow: for every step, which multipliers downstream can make its
// channels unnecessary, and which of those can be computed first. No gate pattern is recognised; a
// multiplier is a multiplier.
#pragma once

#include <vector>

#include "plan/dependence.h"
#include "plan/need.h"
#include "plan/step.h"

namespace pdrt::plan {

// Fills Step::need and Step::notes, and makes steps wait for the multipliers that decide over them
// (hoisting).
void find_switches(const Program& program, const std::vector<bool>& planes,
                   std::vector<Step>& steps, Dependence& dependence, Needs& needs);

}  // namespace pdrt::plan
