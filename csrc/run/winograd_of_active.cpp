#include "run/winograd_of_active.h"

#include <atomic>

#include "run/winograd_strips.h"

namespace pdrt::run::winograd_of_active {
namespace {

using winograd::divided;
using winograd::Strips;
using winograd::Weights;

// Threads that have room for the weights of fewer kernels than the engine computes at once are not
// worth it.
constexpr int kLeastKernels = 12;

// How the kernels of a task are cut for threads that each transform weights of their own: other
// cores' caches would hand them on slowly.
struct Blocks {
  int workers;
  std::int64_t room, row;  // floats: for each worker's weights, and of one kernel at one position
  int count;

  Blocks(const plan::WinogradPlan& own, const cpu::Convolution& task, int threads)
      : row(std::int64_t{divided(std::max(1, task.channels), kLanes)} * kLanes) {
    const auto kernels_in = [&](std::int64_t floats) {
      return static_cast<int>((floats / own.positions() - kLanes) / row);
    };
    const std::int64_t floats = own.floats_for_weights(task.channels, task.kernel_count);
    workers = threads;
    while (workers > 1 && kernels_in(floats / workers) < kLeastKernels) --workers;
    room = floats / workers / kLanes * kLanes;
    const int least = divided(divided(task.kernel_count, kernels_in(room)), workers) * workers;
    count = std::min(least, task.kernel_count);
  }
};

// Taps of the task's kernels [weights.first, weights.last) to positions, those of the inputs at
// hand side by side.
void transform(const Frame& frame, const Group& group, const Weights& weights, float* to) {
  const cpu::Convolution& task = group.task;
  const auto& form = std::get<plan::ConvolutionForm>(frame.plan.steps[group.step].form);
  const auto taps_of = [&](int place) {
    return form.weights + task.kernels[place] * form.columns();
  };
  cpu::ListedWeights listed;
  listed.channels = static_cast<int>(form.channels);
  listed.listed = task.channel;
  listed.count = task.channels;
  for (int place = weights.first; place < weights.last; ++place) {
    listed.taps = taps_of(place);
    listed.next = place + 1 < task.kernel_count ? taps_of(place + 1) : nullptr;
    frame.engine.winograd_listed(winograd::own_plan(frame.plan, group.step).tile, listed,
                                 to + (place - weights.first) * weights.row,
                                 weights.position_stride);
  }
}

}  // namespace

bool possible(const plan::Plan& plan, std::size_t step) {
  return winograd::own_plan(plan, step).of_active.has_value();
}

double cost(const plan::Plan& plan, std::size_t step, std::int64_t kernels, std::int64_t channels) {
  return winograd::own_plan(plan, step).of_active->of(kernels, channels);
}

const float* pack(const plan::Plan&, std::size_t, const cpu::Engine&, int, PackedWeights&) {
  return nullptr;
}

void run(const Frame& frame, const Group& group, const float*) {
  const cpu::Convolution& task = group.task;
  for (Strips strips(frame, group); strips.next();) {
    const bool shared = worth_sharing(frame, strips.macs(task.kernel_count), kSharedMacs);
    const Blocks blocks(winograd::own_plan(frame.plan, group.step), task,
                        shared ? frame.threads : 1);
    std::atomic<int> next{0};
    cpu::parallel_for(blocks.workers, blocks.workers, [&](int worker) {
      float* const room = strips.rest() + worker * blocks.room;
      Weights weights;
      weights.at = room;
      weights.from_memory = false;
      weights.row = blocks.row;
      weights.channel = weights.kernels = frame.work.places.data();
      for (int block; (block = next.fetch_add(1, std::memory_order_relaxed)) < blocks.count;) {
        const Part part(block, blocks.count, task.kernel_count, 1);
        weights.first = part.first;
        weights.last = part.last;
        // An odd number of lines, so that positions do not share a set of a cache.
        weights.position_stride = ((part.last - part.first) * weights.row / kLanes | 1) * kLanes;
        if (task.channels > 0) transform(frame, group, weights, room);
        strips.compute_here(weights, 0, part.last - part.first);
      }
    });
  }
}

}  // namespace pdrt::run::winograd_of_active
