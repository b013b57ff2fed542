// Fully connected layers: the needed rows over the inputs that are not zero.

#include "run/chain.h"
#include "run/steps.h"

namespace pdrt::run {
namespace {

// Blocks of kLanes inputs that hold anything but zeros: work.input_channels. Returns how many.
int find_blocks(const Frame& frame, const float* input, int columns) {
  int blocks = 0;
  for (int block = 0; block * kLanes < columns; ++block) {
    const float* begin = input + block * kLanes;
    const float* end = input + std::min(columns, (block + 1) * kLanes);
    const bool all_zero = std::all_of(begin, end, [](float x) { return x == 0.0f; });
    if (!all_zero || !frame.skip) frame.work.input_channels[blocks++] = block;
  }
  return blocks;
}

void run_sample(const Frame& frame, const plan::Step& step, std::int64_t sample) {
  const auto& form = std::get<plan::FullyConnectedForm>(step.form);
  Workspace& work = frame.work;
  const int kernels = static_cast<int>(form.kernels), columns = static_cast<int>(form.columns);
  const Chain chain(frame, step, sample);

  cpu::FullyConnected task;
  task.input = frame.floats(step.inputs[0]) + sample * columns;
  task.columns = columns;
  task.weights = form.weights;
  task.bias = form.bias;
  task.kernels = work.kernels.data();
  task.output = static_cast<float*>(frame.writable(step.outputs[0])) + sample * kernels;
  task.epilogue = chain.epilogue();
  frame.find_needed(step, sample, kernels);
  const std::uint8_t* needed = work.needed.data();
  std::int32_t* active = work.kernels.data();
  for (int k = 0; k < kernels; ++k) {
    const Verdict verdict = needed[k] ? chain.judge(k) : Verdict{Work::nothing, 0.0f};
    if (verdict.work == Work::compute) {
      active[task.kernel_count++] = k;
    } else {
      task.output[k] = verdict.constant;
    }
  }
  task.block_count = task.kernel_count == 0 ? 0 : find_blocks(frame, task.input, columns);
  task.blocks = work.input_channels.data();
  int visited = task.block_count * kLanes;
  const int last_block = (columns - 1) / kLanes;
  if (task.block_count > 0 && task.blocks[task.block_count - 1] == last_block)
    visited -= (last_block + 1) * kLanes - columns;

  for_each_tile(
      frame, task.kernel_count, 1, std::int64_t{1} * task.kernel_count * visited,
      [&](int first, int last, int, int) { frame.engine.fully_connected(task, first, last); });
  frame.count(step, sample, task.kernel_count, std::int64_t{1} * task.kernel_count * visited);
}

}  // namespace

void run_fully_connected(const Frame& frame, std::size_t step) {
  const std::int64_t samples = frame.extent(frame.plan.steps[step].outputs[0]).samples;
  for (std::int64_t n = 0; n < samples; ++n) run_sample(frame, frame.plan.steps[step], n);
}

}  // namespace pdrt::run
