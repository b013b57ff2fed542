// What the events of a traced run, which are all over, say about it.
#pragma once

#include "run/device/workspace.h"

namespace pdrt::run::device {

// What each step took on the device, without what only moves numbers between it and the host: into
// Workspace::step_milliseconds.
void sum_up(Workspace& work);

// What the device did, by the host's clock.
void add_events(const Workspace& work, const Builder& builder, Clock::time_point start,
                RunStats& stats);

}  // namespace pdrt::run::device
