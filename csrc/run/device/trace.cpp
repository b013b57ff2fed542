#include "run/device/trace.h"

#include <algorithm>

#include "run/device/builder.h"
#include "run/device/clocks.h"

namespace pdrt::run::device {
namespace {

std::string name_of(const TracedLaunch& one, const Builder& builder) {
  if (one.launch >= 0) return builder.launches()[one.launch].program;
  switch (one.event.command()) {
    case opencl::kCommandRead:
      return "read";
    case opencl::kCommandWrite:
      return "write";
    case opencl::kCommandCopy:
      return "copy";
    case opencl::kCommandFill:
      return "fill";
    case opencl::kCommandMap:
      return "map";
    case opencl::kCommandUnmap:
      return "unmap";
    default:
      return "command";
  }
}

bool only_moves(const TracedLaunch& one) {
  if (one.launch >= 0) return false;
  const opencl::cl_uint command = one.event.command();
  return command != opencl::kCommandCopy && command != opencl::kCommandFill;
}

}  // namespace

void sum_up(Workspace& work) {
  for (const TracedLaunch& one : work.trace) {
    const bool of_a_step =
        one.step >= 0 && one.step < static_cast<int>(work.step_milliseconds.size());
    if (!one.event || !of_a_step || only_moves(one)) continue;
    work.step_milliseconds[one.step] +=
        static_cast<double>(one.event.ended() - one.event.started()) * 1e-6;
  }
}

void add_events(const Workspace& work, const Builder& builder, Clock::time_point start,
                RunStats& stats) {
  // All of it happened between the run's begin and its end, which narrows the bounds further.
  const Clock::time_point end =
      start + std::chrono::duration_cast<Clock::duration>(
                  std::chrono::duration<double, std::milli>(stats.milliseconds));
  Clocks clocks;
  clocks.compare(work.queue, work.flags);
  for (const TracedLaunch& one : work.trace) {
    if (one.event) clocks.compare(one.event.started(), one.event.ended(), start, end);
  }
  for (const TracedLaunch& one : work.trace) {
    if (!one.event) continue;
    const bool of_a_step =
        one.step >= 0 && one.step < static_cast<int>(work.step_milliseconds.size());
    stats.events.push_back({"device", name_of(one, builder), of_a_step ? one.step : kNoStep,
                            milliseconds_between(start, clocks.on_host(one.event.started())),
                            milliseconds_between(start, clocks.on_host(one.event.ended()))});
  }
  stats.clock_error_milliseconds = clocks.error_milliseconds();
}

}  // namespace pdrt::run::device
