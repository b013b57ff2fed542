// Fully connected layers over many zeros: only weights of inputs that are not zero are read.
#include "run/by_input.h"

#include "planes/by_input.h"
#include "run/samples_together.h"
#include "run/stored_weights.h"
#include "run/ways.h"

namespace pdrt::run {
namespace {

using plan::FullyConnectedForm;
using One = OneOfSamples<cpu::ByInput>;
using Ones = std::array<std::optional<One>, kSamplesTogether>;

// The number of this form of weights; Winograd's are its tile, or less than zero.
constexpr int kByInput = 1;
// Kernels whose weights are turned at once, so that only so much of the file is in memory beside
// them; and columns of them in one piece of work.
constexpr std::int64_t kKernelsAtOnce = 256, kColumnsAtOnce = 1024;
// The inputs are summed in parts, by threads that have the time: always as many of them, so that
// sums do not depend on the number of threads.
constexpr int kParts = 8;
// Weights that all samples at hand visit before the next ones: floats that stay in a second-level
// cache.
constexpr std::int64_t kNearWeights = 64 * 1024;

void list_columns(const Frame& frame, const plan::Step& step, const float* weights, One& one,
                  int place) {
  const auto& form = std::get<FullyConnectedForm>(step.form);
  cpu::ByInput& task = one.task;
  task.input = frame.floats(step.inputs[0]) + one.sample * form.columns;
  std::int32_t* const listed = frame.work.column_lists[place].data();
  for (std::int32_t column = 0; column < form.columns; ++column) {
    listed[task.listed_count] = column;
    task.listed_count += task.input[column] != 0.0f || !frame.skip;
  }
  task.listed = listed;
  task.weights = weights;
  task.bias = form.bias;
  task.kernels = static_cast<int>(form.kernels);
  task.output = static_cast<float*>(frame.writable(step.outputs[0])) + one.sample * form.kernels;
  task.epilogue = one.chain.epilogue();
}

// Inputs [begin, end), some of all samples, then the next ones.
void add_part(const Frame& frame, const Ones& ones, int count, int begin, int end, float* sums,
              std::int64_t sample_stride) {
  const std::int64_t row = by_input_row(ones[0]->task.kernels);
  for (int i = 0; i < count; ++i) std::fill_n(sums + i * sample_stride, row, 0.0f);
  const int near = count == 1 ? end - begin : static_cast<int>(kNearWeights / row) + 1;
  for (int first = begin; first < end; first += near) {
    const int last = std::min(end, first + near);
    for (int i = 0; i < count; ++i) {
      const cpu::ByInput& task = ones[i]->task;
      const auto place_of = [&](int column) {
        const std::int32_t* const behind = task.listed + task.listed_count;
        return static_cast<int>(std::lower_bound(task.listed, behind, column) - task.listed);
      };
      frame.engine.add_inputs(task, place_of(first), place_of(last), sums + i * sample_stride);
    }
  }
}

void compute(const Frame& frame, const plan::Step& step, const Ones& ones, int count) {
  const auto& form = std::get<FullyConnectedForm>(step.form);
  std::int64_t macs = 0;
  for (int i = 0; i < count; ++i) {
    const std::int64_t own = form.kernels * ones[i]->task.listed_count;
    frame.count(step, ones[i]->sample, form.kernels, own);
    macs += own;
  }
  const std::int64_t row = by_input_row(form.kernels), sample_stride = kParts * row;
  float* const sums = frame.work.sums_by_input.as<float>();
  cpu::parallel_for(
      kParts, worth_sharing(frame, macs, kSharedMacs) ? frame.threads : 1, [&](int index) {
        const Part part(index, kParts, static_cast<int>(form.columns), 1);
        add_part(frame, ones, count, part.first, part.last, sums + index * row, sample_stride);
      });
  for (int i = 0; i < count; ++i)
    frame.engine.finish_sums(ones[i]->task, sums + i * sample_stride, kParts);
}

// Rows of inputs as they came, each with zeros behind it up to whole groups of lanes.
Tensor padded(const plan::Plan& plan, std::size_t step) {
  const auto& form = std::get<FullyConnectedForm>(plan.steps[step].form);
  const std::int64_t row = by_input_row(form.kernels);
  Tensor tensor(DType::f32, {form.columns, row});
  for (std::int64_t first = 0; first < form.columns; first += kColumnsAtOnce) {
    const std::int64_t last = std::min(form.columns, first + kColumnsAtOnce);
    fetch_rows(plan, step, first, last);
    for (std::int64_t column = first; column < last; ++column) {
      float* const to = tensor.as<float>() + column * row;
      float* const end = std::copy_n(form.by_input + column * form.kernels, form.kernels, to);
      std::fill(end, to + row, 0.0f);
    }
    release_rows(plan, step, first, last);
  }
  return tensor;
}

}  // namespace

const float* pack_by_input(const plan::Plan& plan, std::size_t step, const cpu::Engine& engine,
                           int threads, PackedWeights& packed) {
  const auto& form = std::get<FullyConnectedForm>(plan.steps[step].form);
  if (form.by_input && by_input_row(form.kernels) == form.kernels) return form.by_input;
  if (form.by_input) return packed.get(form.by_input, kByInput, [&] { return padded(plan, step); });
  return packed.get(form.weights, kByInput, [&] {
    const std::int64_t row = by_input_row(form.kernels), columns = form.columns;
    Tensor tensor(DType::f32, {columns, row});
    float* const to = tensor.as<float>();
    const auto pieces = static_cast<int>((columns + kColumnsAtOnce - 1) / kColumnsAtOnce);
    for (std::int64_t first = 0; first < form.kernels; first += kKernelsAtOnce) {
      const std::int64_t last = std::min(form.kernels, first + kKernelsAtOnce);
      fetch_rows(plan, step, first, last);
      cpu::parallel_for(pieces, threads, [&](int index) {
        const std::int64_t column = index * kColumnsAtOnce;
        engine.weights_by_input(form.weights + first * columns, static_cast<int>(last - first),
                                columns, column, std::min(columns, column + kColumnsAtOnce),
                                to + first, row);
      });
      release_rows(plan, step, first, last);
    }
    return tensor;
  });
}

void run_by_input(const Frame& frame, std::size_t s) {
  const plan::Step& step = frame.plan.steps[s];
  for_samples_together<cpu::ByInput>(
      frame, step,
      [&](One& one, int place) { list_columns(frame, step, frame.packed[s * kWays], one, place); },
      [&](const Ones& ones, int count) { compute(frame, step, ones, count); });
}

std::int64_t sums_by_input(const plan::Plan& plan) {
  std::int64_t most = 0;
  for (const plan::Step& step : plan.steps) {
    if (!step.by_input) continue;
    most = std::max(most, by_input_row(std::get<FullyConnectedForm>(step.form).kernels));
  }
  const std::int64_t samples = std::min<std::int64_t>(plan.max_samples, kSamplesTogether);
  return samples * kParts * most;
}

}  // namespace pdrt::run
