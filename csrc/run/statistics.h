// What a run did and what a plan will do, in the public words.
#pragma once

#include "run/plan_cache.h"

namespace pdrt::run {

// Fills everything but the time.
void collect(const Frame& frame, RunStats& stats);

// Fills the events of the run's own thread.
void collect_trace(const Frame& frame, Clock::time_point start, RunStats& stats);

Explanation explain(const PreparedPlan& prepared, std::string device);

}  // namespace pdrt::run
