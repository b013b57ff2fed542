// How long a plan takes, on inputs of noise: to choose between two.
#pragma once

#include <functional>

#include "run/plan_cache.h"

namespace pdrt::run {

// Milliseconds of a run, the median of a few. `timed`: step by step; `after`, if any, looks at the
// workspace after each.
double trial(PreparedPlan& prepared, const cpu::Engine& engine, int threads, bool skip,
             bool timed = false, const std::function<void(const Workspace& work)>& after = {});

}  // namespace pdrt::run
