// A run, between its inputs and its outputs: the device and the host take turns.

#include <algorithm>
#include <chrono>

#include "run/device/executor.h"

namespace pdrt::run::device {
namespace {

// Milliseconds.
double since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

}  // namespace

bool DeviceExecutor::has_to_wait(const Workspace& work, std::size_t step) const {
  return std::any_of(moves_.awaited[step].begin(), moves_.awaited[step].end(),
                     [&](ValueId value) { return static_cast<bool>(work.arrived[value]); });
}

void DeviceExecutor::await(Workspace& work, const std::vector<ValueId>& values) const {
  for (ValueId value : values) {
    if (!work.arrived[value]) continue;
    const Clock::time_point start = Clock::now();
    const auto mark = work.host_trace.mark("wait", work.step);
    work.arrived[value].wait();
    work.arrived[value] = {};
    ++work.waits.synchronisations;
    work.waits.waiting += since(start);
  }
}

void DeviceExecutor::run(const Frame& whole, bool) const {
  Workspace& work = work_of(whole);
  const Frame frame = whole.without(moves_.unknown);
  std::size_t s = 0;
  while (s < steps_.size()) {
    work.step = static_cast<int>(s);
    if (!steps_[s]) {
      run_on_host(frame, work, s++);
      continue;
    }
    await(work, moves_.awaited[s]);
    std::size_t last = s + 1;
    while (last < steps_.size() && steps_[last] && !has_to_wait(work, last)) ++last;
    run_on_device(frame, work, s, last);
    s = last;
  }
  work.give_planes();
}

void DeviceExecutor::run_on_device(const Frame& frame, Workspace& work, std::size_t first,
                                   std::size_t last) const {
  const Clock::time_point start = Clock::now();
  work.give_planes();
  Numbers changed{sizes_.lists, 0};
  for (std::size_t s = first; s < last; ++s) {
    if (!changing_[s]) continue;
    const auto mark = work.host_trace.mark("decide", s);
    steps_[s]->judge(frame, work);
    changed.first = std::min(changed.first, numbers_[s].first);
    changed.last = std::max(changed.last, numbers_[s].last);
  }
  upload_lists(work, changed);
  bool reads = false;
  for (std::size_t s = first; s < last; ++s) {
    const auto mark = work.host_trace.mark("enqueue", s);
    work.step = static_cast<int>(s);
    steps_[s]->enqueue(work);
    for (ValueId value : moves_.read_after[s]) {
      work.queue.read(work.dense_on_device, plan_.values[value].offset, frame.writable(value),
                      bytes_of_dense(plan_, value), false, &work.arrived[value]);
      work.trace_too(work.arrived[value]);
      reads = true;
    }
  }
  if (reads) work.queue.flush();
  work.waits.enqueueing += since(start);
}

// What the device has written of the planes that a step on the host reads.
void DeviceExecutor::take_planes(const Frame& frame, Workspace& work, std::size_t s) const {
  const Clock::time_point start = Clock::now();
  if (!host_planes_[s].empty()) {
    const auto mark = work.host_trace.mark("fetch", s);
    if (work.take_planes(host_planes_[s])) ++work.waits.synchronisations;
    for (ValueId value : moves_.fetched[s]) clear_beside_pixels(frame, value);
  } else if (!moves_.fetched[s].empty()) {
    work.queue.flush();
    for (ValueId value : moves_.fetched[s]) {
      const auto mark = work.host_trace.mark("fetch", s);
      fetch_planes(frame, work, value, device_.options.half_planes);
      ++work.waits.synchronisations;
    }
  }
  work.waits.waiting += since(start);
}

void DeviceExecutor::run_on_host(const Frame& frame, Workspace& work, std::size_t s) const {
  if (std::holds_alternative<plan::ViewForm>(plan_.steps[s].form)) return;
  await(work, moves_.awaited[s]);
  take_planes(frame, work, s);
  const PlaneStates before(frame, plan_.steps[s], moves_);
  Clock::time_point start = Clock::now();
  {
    const auto mark = work.host_trace.mark("compute", s);
    host_steps_.run(frame, s);
  }
  if (device_.options.traced) work.step_milliseconds[s] += since(start);
  before.restore();
  start = Clock::now();
  const auto mark = work.host_trace.mark("send", s);
  for (ValueId value : moves_.written_after[s]) {
    if (plan_.planes[value]) {
      // A device that switches by itself takes what the host made as it is, without a list.
      if (builder_.switches_on_device) frame.materialise_all(value);
      if (!sharing_.shared) send_planes(frame, work, value, device_.options.half_planes);
      send_flags(frame, work, value);
      continue;
    }
    // What a later step leaves in the host's memory must not change what is still on its way.
    const std::size_t offset = plan_.values[value].offset, bytes = bytes_of_dense(plan_, value);
    std::byte* staged = work.stage(frame.data(value), bytes);
    work.queue.write(work.dense_on_device, offset, staged, bytes, false, work.trace_event());
  }
  work.waits.enqueueing += since(start);
}

}  // namespace pdrt::run::device
