#include "run/device/clocks.h"

#include <algorithm>
#include <cstdlib>

namespace pdrt::run::device {
namespace {

constexpr int kCommands = 12;

std::int64_t nanoseconds(Clock::time_point at) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count();
}

}  // namespace

void Clocks::compare(std::uint64_t started, std::uint64_t ended, Clock::time_point asked,
                     Clock::time_point seen) {
  least_ = std::max(least_, static_cast<std::int64_t>(ended) - nanoseconds(seen));
  most_ = std::min(most_, static_cast<std::int64_t>(started) - nanoseconds(asked));
}

void Clocks::compare(const opencl::Queue& queue, const opencl::Buffer& buffer) {
  for (int i = 0; i < kCommands; ++i) {
    std::uint8_t byte = 0;
    opencl::Event event;
    const Clock::time_point asked = Clock::now();
    queue.read(buffer, 0, &byte, sizeof byte, false, &event);
    queue.flush();
    event.wait();
    const Clock::time_point seen = Clock::now();
    compare(event.started(), event.ended(), asked, seen);
  }
}

Clock::time_point Clocks::on_host(std::uint64_t device_time) const {
  const std::chrono::nanoseconds time(static_cast<std::int64_t>(device_time) - difference());
  return Clock::time_point(std::chrono::duration_cast<Clock::duration>(time));
}

double Clocks::error_milliseconds() const {
  // Bounds that contradict each other come from clocks that do not keep step.
  return static_cast<double>(std::abs(most_ - least_)) * 0.5e-6;
}

}  // namespace pdrt::run::device
