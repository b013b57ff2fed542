#include "cpu/peak.h"

#include <algorithm>
#include <chrono>

namespace pdrt::cpu {

double measured_fma_peak(const Engine& engine) {
  using Clock = std::chrono::steady_clock;
  constexpr long kIterations = 10000;
  constexpr double kOperations = 2.0 * kFmaBurst * kIterations;
  volatile double sink = 0;  // keeps the bursts from being dropped
  double best = 0;
  const Clock::time_point stop = Clock::now() + std::chrono::milliseconds(20);
  do {
    const Clock::time_point start = Clock::now();
    sink = engine.fma_burst(kIterations);
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::max(best, kOperations / seconds);
  } while (Clock::now() < stop);
  static_cast<void>(sink);
  return best / 1e9;
}

}  // namespace pdrt::cpu
