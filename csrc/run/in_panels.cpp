// Fully connected layers behind planes that may be off: each input has lines of weights of its own,
// and only those of inputs that are not zero are read.
#include "run/in_panels.h"

#include "planes/panels.h"
#include "run/chain.h"
#include "run/stored_weights.h"
#include "run/ways.h"

namespace pdrt::run {
namespace {

using plan::FullyConnectedForm;

// The number of this form of weights; Winograd's are its tile, or less than zero.
constexpr int kPanels = 1;
// Panels made at once, so that only so much of the file is in memory beside them.
constexpr int kPanelsAtOnce = 16;

int panels_of(const FullyConnectedForm& form) {
  return static_cast<int>((form.kernels + kLanes - 1) / kLanes);
}

void run_sample(const Frame& frame, std::size_t s, std::int64_t sample) {
  const plan::Step& step = frame.plan.steps[s];
  const auto& form = std::get<FullyConnectedForm>(step.form);
  const Chain chain(frame, step, sample);
  cpu::PanelProduct task;
  task.input = frame.floats(step.inputs[0]) + sample * form.columns;
  task.columns = form.columns;
  std::int32_t* const listed = frame.work.input_channels.data();
  for (std::int32_t column = 0; column < form.columns; ++column) {
    listed[task.listed_count] = column;
    task.listed_count += task.input[column] != 0.0f || !frame.skip;
  }
  task.listed = listed;
  task.weights = frame.packed[s * kWays];
  task.bias = form.bias;
  task.kernels = static_cast<int>(form.kernels);
  task.output = static_cast<float*>(frame.writable(step.outputs[0])) + sample * form.kernels;
  task.epilogue = chain.epilogue();
  const std::int64_t macs = form.kernels * task.listed_count;
  for_each_tile(frame, panels_of(form), 1, macs, [&](int first, int last, int, int) {
    frame.engine.panel_product(task, first, last);
  });
  frame.count(step, sample, form.kernels, macs);
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

void run_in_panels(const Frame& frame, std::size_t step) {
  const std::int64_t samples = frame.extent(frame.plan.steps[step].outputs[0]).samples;
  for (std::int64_t n = 0; n < samples; ++n) run_sample(frame, step, n);
}

}  // namespace pdrt::run
