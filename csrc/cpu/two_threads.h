// What two threads of this machine are to each other.
#pragma once

#include "cpu/engine.h"

namespace pdrt::cpu {

// Where threads run decides how much a second one gains, and where a host moves a machine's virtual
// processors that changes from second to second.
struct TwoThreads {
  // For a cache line to go to the other thread and back. Several times as long between caches that
  // lie apart as between cores that share one.
  double round_trip_ns = 0;
  // How many times as long multiply-adds take on one thread while the other does the same: 1 where
  // each has a core of its own, about 2 where they share one.
  double slowdown = 0;
};

// Of the calling thread and another, at this moment: medians of a few tries, together less than a
// millisecond. Throws std::system_error where no thread can be started.
TwoThreads measured_two_threads(const Engine& engine);

}  // namespace pdrt::cpu
