#include "run/winograd.h"

#include "planes/panels.h"
#include "run/stored_weights.h"
#include "run/winograd_strips.h"

namespace pdrt::run::winograd {
namespace {

using plan::ConvolutionForm;
using plan::WinogradPlan;

// Changes the order of the inputs where they are few of all: every kVisits-th, then those behind
// them. In ascending order a processor takes lines that are somewhat close for a stream, fetches
// the others, too, and half of the weights come no faster than all of them.
void visit_in_turns(const Frame& frame, cpu::Convolution& task, std::int64_t all) {
  constexpr int kVisits = 8, kFew = 70;  // percent
  if (task.channels * 100 > all * kFew) return;
  Workspace& work = frame.work;
  int place = 0;
  for (int first = 0; first < kVisits; ++first) {
    for (int c = first; c < task.channels; c += kVisits, ++place) {
      work.visited_channels[place] = task.channel[c];
      work.visited_planes[place] = task.inputs[c];
    }
  }
  task.channel = work.visited_channels.data();
  task.inputs = work.visited_planes.data();
}

// Weights at every position, kernel by kernel or panel by panel.
void transform_weights(const ConvolutionForm& form, const WinogradPlan& own, bool in_panels,
                       const cpu::Engine& engine, int threads, float* to) {
  const int kernels = static_cast<int>(form.kernels), channels = static_cast<int>(form.channels);
  const std::int64_t row = form.channels * 9;
  const auto kernel = [&](int k) {
    engine.winograd_weights(own.tile, form.weights + k * row, channels, to + k * form.channels,
                            own.weights_stride);
  };
  const auto panel = [&](int index) {
    const int k = index * kLanes;
    engine.winograd_panel(own.tile, form.weights + k * row, row, std::min(kLanes, kernels - k),
                          channels, to + panel_place(k, channels), own.weights_stride);
  };
  if (in_panels) {
    cpu::parallel_for(divided(kernels, kLanes), threads, panel);
  } else {
    cpu::parallel_for(kernels, threads, kernel);
  }
}

}  // namespace

std::string parameter(const plan::Plan& plan, std::size_t step) {
  const std::string side = std::to_string(own_plan(plan, step).tile);
  return "F(" + side + "x" + side + ", 3x3)";
}

bool possible(const plan::Plan& plan, std::size_t step) {
  const WinogradPlan& own = own_plan(plan, step);
  return own.possible() && !own.in_lanes;
}

double cost(const plan::Plan& plan, std::size_t step, std::int64_t kernels, std::int64_t channels) {
  return own_plan(plan, step).cost.of(kernels, channels);
}

const float* pack(const plan::Plan& plan, std::size_t step, const cpu::Engine& engine, int threads,
                  PackedWeights& packed) {
  const auto& form = std::get<ConvolutionForm>(plan.steps[step].form);
  const WinogradPlan& own = own_plan(plan, step);
  const bool in_panels = plan.steps[step].in_panels;
  return packed.get(form.weights, in_panels ? -own.tile : own.tile, [&] {
    fetch_weights(plan, step);
    Tensor tensor(DType::f32, {own.positions(), own.weights_stride});
    transform_weights(form, own, in_panels, engine, threads, tensor.as<float>());
    return tensor;
  });
}

void run(const Frame& frame, const Group& group, const float* packed) {
  const auto& form = std::get<ConvolutionForm>(frame.plan.steps[group.step].form);
  cpu::Convolution task = group.task;
  Weights weights;
  weights.at = packed;
  weights.position_stride = own_plan(frame.plan, group.step).weights_stride;
  weights.row = form.channels;
  weights.in_panels = frame.plan.steps[group.step].in_panels;
  if (weights.in_panels) visit_in_turns(frame, task, form.channels);
  weights.channel = task.channel;
  weights.kernels = task.kernels;
  weights.last = task.kernel_count;
  const Group in_order{group.step, task, group.sample};
  for (Strips strips(frame, in_order); strips.next();) strips.compute(weights);
}

}  // namespace pdrt::run::winograd
