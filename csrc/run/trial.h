// How long a plan takes, on inputs of noise: to choose between two.
#pragma once

#include "run/plan_cache.h"

namespace pdrt::run {

// Milliseconds of a run, the median of a few.
double trial(PreparedPlan& prepared, const cpu::Engine& engine, int threads, bool skip);

}  // namespace pdrt::run
