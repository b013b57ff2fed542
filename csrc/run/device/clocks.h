// A device's clock beside the host's: what an event's times are in the host's.
#pragma once

#include <cstdint>

#include "opencl/queue.h"
#include "run/trace.h"

namespace pdrt::run::device {

// Every command tells something of how far the clocks are apart: it started after the host asked
// for it, and was over before the host saw that. Whatever the difference is, it lies between the
// bounds that all commands agree on; the middle is taken.
class Clocks {
 public:
  // The host asked for the command after `asked`, and knew before `seen` that it was over.
  void compare(std::uint64_t started, std::uint64_t ended, Clock::time_point asked,
               Clock::time_point seen);
  // A few commands that do next to nothing, one after the other.
  void compare(const opencl::Queue& queue, const opencl::Buffer& buffer);

  Clock::time_point on_host(std::uint64_t device_time) const;
  // Half of what lies between the bounds.
  double error_milliseconds() const;

 private:
  std::int64_t difference() const { return least_ + (most_ - least_) / 2; }
  // Nanoseconds of the device's clock less the host's.
  std::int64_t least_ = INT64_MIN / 4, most_ = INT64_MAX / 4;
};

}  // namespace pdrt::run::device
