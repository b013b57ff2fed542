// Why a multiplier does not switch a step: the sentences explain() shows.
#pragma once

#include <string>
#include <vector>

#include "plan/dependence.h"
#include "plan/need.h"
#include "plan/step.h"

namespace pdrt::plan {

// One sentence for each multiplier that the step's channels meet before the next layer and that
// neither its need nor its chain makes use of.
std::vector<std::string> unused_multipliers(const Program& program, const std::vector<bool>& planes,
                                            const Step& step, const std::vector<bool>& runs_after,
                                            const Dependence& dependence, const Needs& needs);

}  // namespace pdrt::plan
