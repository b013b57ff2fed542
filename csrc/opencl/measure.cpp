#include "opencl/measure.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace pdrt::opencl {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kTimes = 5;
constexpr std::size_t kMebibyte = std::size_t{1} << 20;

// The shortest of a few, in seconds of the device's clock.
template <typename Enqueue>
double shortest(const Queue& queue, const Enqueue& enqueue) {
  std::uint64_t best = UINT64_MAX;
  for (int i = 0; i < kTimes; ++i) {
    Event event;
    enqueue(&event);
    queue.flush();
    event.wait();
    best = std::min(best, event.ended() - event.started());
  }
  return static_cast<double>(std::max<std::uint64_t>(best, 1)) * 1e-9;
}

Range range_of(std::size_t items, std::size_t group) {
  Range range;
  range.global[0] = items;
  range.local[0] = group;
  return range;
}

double gflops(const Context& context, const Queue& queue) {
  constexpr double kLongEnough = 5e-3;
  constexpr std::int32_t kMostIterations = 1 << 20;
  const DeviceInfo& device = context.device();
  const bool vectors = device.kind == DeviceKind::cpu;
  const int lanes = vectors ? 16 : 4;
  const double operations = 2.0 * 16 * 8 * lanes;  // of a work-item in each iteration, see peak.cl
  Kernel kernel = context.kernel("peak", "peak", "-DLANES=" + std::to_string(lanes));
  const std::size_t group = vectors ? 1 : std::min<std::size_t>(256, kernel.max_group());
  const std::size_t items = group * 32 * std::max(device.compute_units, 1);
  const Buffer out = context.make_buffer(items * sizeof(float));
  kernel.set(0, out);
  for (std::int32_t iterations = 16;; iterations *= 4) {
    kernel.set(1, iterations);
    const double seconds =
        shortest(queue, [&](Event* event) { queue.launch(kernel, range_of(items, group), event); });
    if (seconds >= kLongEnough || iterations >= kMostIterations)
      return operations * static_cast<double>(items) * iterations / seconds * 1e-9;
  }
}

// More than the caches of the device hold, where it has as much.
std::size_t large(const DeviceInfo& device) {
  const std::size_t most = std::min(device.max_buffer_bytes, device.global_bytes / 8);
  return std::max(std::min(256 * kMebibyte, most) / kMebibyte, std::size_t{1}) * kMebibyte;
}

double copies(const Context& context, const Queue& queue) {
  const std::size_t bytes = large(context.device());
  const Buffer in = context.make_buffer(bytes), out = context.make_buffer(bytes);
  queue.fill(in, 0, bytes, 0);
  queue.fill(out, 0, bytes, 0);
  Kernel kernel = context.kernel("bandwidth", "bandwidth", "");
  kernel.set(0, in);
  kernel.set(1, out);
  const Range range = range_of(bytes / 16, std::min<std::size_t>(256, context.device().max_group));
  const double seconds = shortest(queue, [&](Event* event) { queue.launch(kernel, range, event); });
  return 2.0 * static_cast<double>(bytes) / seconds * 1e-9;
}

// By the host's clock: what a caller waits for.
template <typename Work>
double shortest_wait(const Work& work) {
  double best = 1e9;
  for (int i = 0; i < kTimes; ++i) {
    const Clock::time_point start = Clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return std::max(best, 1e-9);
}

double launch_microseconds(const Context& context, const Queue& queue) {
  constexpr int kMany = 200;
  const Buffer out = context.make_buffer(sizeof(float));
  Kernel kernel = context.kernel("peak", "peak", "");
  kernel.set(0, out);
  kernel.set(1, std::int32_t{0});
  std::vector<double> times(kMany);
  for (double& time : times) {
    const Clock::time_point start = Clock::now();
    queue.launch(kernel, range_of(1, 1));
    queue.finish();
    time = std::chrono::duration<double, std::micro>(Clock::now() - start).count();
  }
  std::nth_element(times.begin(), times.begin() + kMany / 2, times.end());
  return times[kMany / 2];
}

}  // namespace

Peaks measure_peaks(const Context& context) {
  const Queue queue = context.make_queue(true);
  Peaks peaks;
  peaks.gflops = gflops(context, queue);
  peaks.gigabytes_per_second = copies(context, queue);
  const std::size_t bytes = std::min(64 * kMebibyte, large(context.device()));
  const Buffer buffer = context.make_buffer(bytes);
  std::vector<std::byte> memory(bytes);
  const double size = static_cast<double>(bytes) * 1e-9;
  peaks.to_device =
      size / shortest_wait([&] { queue.write(buffer, 0, memory.data(), bytes, true); });
  peaks.to_host = size / shortest_wait([&] { queue.read(buffer, 0, memory.data(), bytes, true); });
  peaks.launch_microseconds = launch_microseconds(context, queue);
  return peaks;
}

}  // namespace pdrt::opencl
