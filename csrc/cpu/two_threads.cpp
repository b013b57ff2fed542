#include "cpu/two_threads.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include "cpu/affinity.h"
#include "cpu/pause.h"

namespace pdrt::cpu {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kTries = 5;
constexpr int kRoundTrips = 100;
constexpr long kBurst = 1000;  // iterations: a dozen microseconds

// A number that two threads raise in turn.
class Turns {
 public:
  void give(int turn) { turn_.store(turn); }
  // Who waits for long leaves the core, and at last the processor, to the other thread.
  void wait_for(int turn) const {
    for (int looks = 1; turn_.load(std::memory_order_acquire) != turn; ++looks) {
      if (looks > 1024) pause_briefly();
      if (looks % 4096 == 0) std::this_thread::yield();
    }
  }

 private:
  alignas(64) std::atomic<int> turn_{0};
};

template <typename Work>
double nanoseconds(const Work& work) {
  const Clock::time_point start = Clock::now();
  work();
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

double median(std::array<double, kTries> tries) {
  std::sort(tries.begin(), tries.end());
  return tries[kTries / 2];
}

}  // namespace

TwoThreads measured_two_threads(const Engine& engine) {
  Turns turns;
  volatile double sinks[2] = {0, 0};  // keep the bursts from being dropped
  const auto burst = [&](int thread, long iterations) {
    sinks[thread] = engine.fma_burst(iterations);
  };
  const int caller_at = current_processor();
  std::thread other([&] {
    WokenThread self;
    self.introduce();
    if (current_processor() == caller_at) self.move_away();
    int turn = 0;
    for (int at = 0; at < kTries; ++at) {
      for (int i = 0; i < kRoundTrips + 2; ++i) {
        turns.wait_for(++turn);
        turns.give(++turn);
      }
      burst(1, 2 * kBurst);  // still under way when the caller's is done
    }
  });
  std::array<double, kTries> trips{}, slowdowns{};
  int turn = 0;
  const auto there_and_back = [&] {
    turns.give(++turn);
    turns.wait_for(++turn);
  };
  for (int at = 0; at < kTries; ++at) {
    there_and_back();  // now the other one has nothing else to do
    trips[at] = nanoseconds([&] {
                  for (int i = 0; i < kRoundTrips; ++i) there_and_back();
                }) /
                kRoundTrips;
    const double alone = nanoseconds([&] { burst(0, kBurst); });
    there_and_back();
    slowdowns[at] = nanoseconds([&] { burst(0, kBurst); }) / alone;
  }
  other.join();
  return {median(trips), median(slowdowns)};
}

}  // namespace pdrt::cpu
