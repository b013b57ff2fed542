// Fully connected layers behind planes that may be off: each input has lines of weights of its own,
// and only those of inputs that are not zero are read.
#include "run/in_panels.h"

#include "planes/panels.h"
#include "run/samples_together.h"
#include "run/stored_weights.h"
#include "run/ways.h"

namespace pdrt::run {
namespace {

using plan::FullyConnectedForm;
using One = OneOfSamples<cpu::PanelProduct>;
using Ones = std::array<std::optional<One>, kSamplesTogether>;

// The number of this form of weights; Winograd's are its tile, or less than zero.
constexpr int kPanels = 1;
// Panels made at once, so that only so much of the file is in memory beside them.
constexpr int kPanelsAtOnce = 16;

int panels_of(const FullyConnectedForm& form) {
  return static_cast<int>((form.kernels + kLanes - 1) / kLanes);
}

void list_columns(const Frame& frame, std::size_t s, One& one, int place) {
  const plan::Step& step = frame.plan.steps[s];
  const auto& form = std::get<FullyConnectedForm>(step.form);
  cpu::PanelProduct& task = one.task;
  task.input = frame.floats(step.inputs[0]) + one.sample * form.columns;
  task.columns = form.columns;
  std::int32_t* const listed = frame.work.column_lists[place].data();
  for (std::int32_t column = 0; column < form.columns; ++column) {
    listed[task.listed_count] = column;
    task.listed_count += task.input[column] != 0.0f || !frame.skip;
  }
  task.listed = listed;
  task.weights = frame.packed[s * kWays];
  task.bias = form.bias;
  task.kernels = static_cast<int>(form.kernels);
  task.output = static_cast<float*>(frame.writable(step.outputs[0])) + one.sample * form.kernels;
  task.epilogue = one.chain.epilogue();
}

// Panel by panel, each of all samples.
void compute(const Frame& frame, const plan::Step& step, const Ones& ones, int count) {
  const auto& form = std::get<FullyConnectedForm>(step.form);
  std::int64_t macs = 0;
  for (int i = 0; i < count; ++i) {
    const std::int64_t own = form.kernels * ones[i]->task.listed_count;
    frame.count(step, ones[i]->sample, form.kernels, own);
    macs += own;
  }
  for_each_tile(frame, panels_of(form), 1, macs, [&](int first, int last, int, int) {
    if (count == 1) return frame.engine.panel_product(ones[0]->task, first, last);
    for (int panel = first; panel < last; ++panel) {
      for (int i = 0; i < count; ++i) frame.engine.panel_product(ones[i]->task, panel, panel + 1);
    }
  });
}

}  // namespace

const float* pack_panels(const plan::Plan& plan, std::size_t step, const cpu::Engine& engine,
                         int threads, PackedWeights& packed) {
  const auto& form = std::get<FullyConnectedForm>(plan.steps[step].form);
  return packed.get(form.weights, kPanels, [&] {
    Tensor tensor(DType::f32, {panel_floats(form.kernels, form.columns)});
    float* const to = tensor.as<float>();
    const int panels = panels_of(form);
    for (int begin = 0; begin < panels; begin += kPanelsAtOnce) {
      const int end = std::min(panels, begin + kPanelsAtOnce);
      const std::int64_t first = std::int64_t{begin} * kLanes,
                         last = std::min(form.kernels, std::int64_t{end} * kLanes);
      fetch_rows(plan, step, first, last);
      cpu::parallel_for(end - begin, threads, [&](int index) {
        const std::int64_t k = first + std::int64_t{index} * kLanes;
        engine.make_panel(form.weights + k * form.columns,
                          static_cast<int>(std::min<std::int64_t>(kLanes, last - k)), form.columns,
                          to + panel_place(k, form.columns));
      });
      release_rows(plan, step, first, last);
    }
    return tensor;
  });
}

void run_in_panels(const Frame& frame, std::size_t s) {
  const plan::Step& step = frame.plan.steps[s];
  for_samples_together<cpu::PanelProduct>(
      frame, step, [&](One& one, int place) { list_columns(frame, s, one, place); },
      [&](const Ones& ones, int count) { compute(frame, step, ones, count); });
}

}  // namespace pdrt::run
