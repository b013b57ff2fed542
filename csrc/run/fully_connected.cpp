// Fully connected layers: the needed rows over the inputs that are not zero.

#include "run/samples_together.h"
#include "run/steps.h"

namespace pdrt::run {
namespace {

using plan::FullyConnectedForm;
using One = OneOfSamples<cpu::FullyConnected>;
using Ones = std::array<std::optional<One>, kSamplesTogether>;

// Weights of the rows that all samples at hand visit before the next ones: floats that stay in a
// second-level cache. And what rows are computed at once, so that none is left over.
constexpr std::int64_t kNearWeights = 64 * 1024;
constexpr std::int64_t kRowsAtOnce = 8;

// Blocks of kLanes inputs that hold anything but zeros. Returns how many.
int find_blocks(const Frame& frame, const float* input, int columns, std::int32_t* list) {
  int blocks = 0;
  for (int block = 0; block * kLanes < columns; ++block) {
    const float* begin = input + block * kLanes;
    const float* end = input + std::min(columns, (block + 1) * kLanes);
    const bool all_zero = std::all_of(begin, end, [](float x) { return x == 0.0f; });
    if (!all_zero || !frame.skip) list[blocks++] = block;
  }
  return blocks;
}

// Writes the constants of rows that are off, and lists the others.
void list_rows(const Frame& frame, const plan::Step& step, One& one, int place) {
  const auto& form = std::get<FullyConnectedForm>(step.form);
  Workspace& work = frame.work;
  const int kernels = static_cast<int>(form.kernels), columns = static_cast<int>(form.columns);
  cpu::FullyConnected& task = one.task;
  task.input = frame.floats(step.inputs[0]) + one.sample * columns;
  task.columns = columns;
  task.weights = form.weights;
  task.bias = form.bias;
  task.output = static_cast<float*>(frame.writable(step.outputs[0])) + one.sample * kernels;
  task.epilogue = one.chain.epilogue();
  frame.find_needed(step, one.sample, kernels);
  const std::uint8_t* needed = work.needed.data();
  std::int32_t* const active = work.row_lists[place].data();
  for (int k = 0; k < kernels; ++k) {
    const Verdict verdict = needed[k] ? one.chain.judge(k) : Verdict{Work::nothing, 0.0f};
    if (verdict.work == Work::compute) {
      active[task.kernel_count++] = k;
    } else {
      task.output[k] = verdict.constant;
    }
  }
  task.kernels = active;
  std::int32_t* const blocks = work.column_lists[place].data();
  task.block_count = task.kernel_count == 0 ? 0 : find_blocks(frame, task.input, columns, blocks);
  task.blocks = blocks;
}

std::int64_t macs_of(const cpu::FullyConnected& task) {
  int visited = task.block_count * kLanes;
  const int last_block = (task.columns - 1) / kLanes;
  if (task.block_count > 0 && task.blocks[task.block_count - 1] == last_block)
    visited -= (last_block + 1) * kLanes - task.columns;
  return std::int64_t{1} * task.kernel_count * visited;
}

// A few rows of all samples, then the next ones.
void compute_together(const Frame& frame, const FullyConnectedForm& form, const Ones& ones,
                      int count, std::int64_t macs) {
  const int threads = worth_sharing(frame, macs, kSharedMacs) ? frame.threads : 1;
  const std::int64_t near = std::max(kRowsAtOnce,
                                     kNearWeights / std::max<std::int64_t>(1, form.columns)),
                     share = (form.kernels + threads - 1) / threads;
  const std::int64_t rows = (std::min(near, share) + kRowsAtOnce - 1) / kRowsAtOnce * kRowsAtOnce;
  cpu::parallel_for(static_cast<int>((form.kernels + rows - 1) / rows), threads, [&](int piece) {
    for (int i = 0; i < count; ++i) {
      const cpu::FullyConnected& task = ones[i]->task;
      const std::int32_t* const end = task.kernels + task.kernel_count;
      const auto place_of = [&](std::int64_t row) {
        return static_cast<int>(std::lower_bound(task.kernels, end, row) - task.kernels);
      };
      const int first = place_of(piece * rows), last = place_of((piece + 1) * rows);
      if (first < last) frame.engine.fully_connected(task, first, last);
    }
  });
}

void compute(const Frame& frame, const plan::Step& step, const Ones& ones, int count) {
  std::int64_t macs = 0;
  for (int i = 0; i < count; ++i) {
    const std::int64_t own = macs_of(ones[i]->task);
    frame.count(step, ones[i]->sample, ones[i]->task.kernel_count, own);
    macs += own;
  }
  if (count > 1)
    return compute_together(frame, std::get<FullyConnectedForm>(step.form), ones, count, macs);
  const cpu::FullyConnected& task = ones[0]->task;
  for_each_tile(frame, task.kernel_count, 1, macs, [&](int first, int last, int, int) {
    frame.engine.fully_connected(task, first, last);
  });
}

}  // namespace

void run_fully_connected(const Frame& frame, std::size_t s) {
  const plan::Step& step = frame.plan.steps[s];
  for_samples_together<cpu::FullyConnected>(
      frame, step, [&](One& one, int place) { list_rows(frame, step, one, place); },
      [&](const Ones& ones, int count) { compute(frame, step, ones, count); });
}

}  // namespace pdrt::run
