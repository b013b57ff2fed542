#include "run/winograd_in_lanes.h"

#include "run/stored_weights.h"
#include "run/winograd_strips.h"

namespace pdrt::run::winograd_in_lanes {
namespace {

using plan::ConvolutionForm;
using winograd::divided;

// The number of this form of weights; see the other ways' own.
constexpr int kPackedForm = 8;

const ConvolutionForm& form_of(const plan::Plan& plan, std::size_t step) {
  return std::get<ConvolutionForm>(plan.steps[step].form);
}

// Floats of a panel of kInLanes kernels.
std::int64_t panel_floats(const ConvolutionForm& form) { return form.columns() * kInLanes; }

}  // namespace

bool possible(const plan::Plan& plan, std::size_t step) {
  return winograd::own_plan(plan, step).in_lanes;
}

const float* pack(const plan::Plan& plan, std::size_t step, const cpu::Engine& engine, int threads,
                  PackedWeights& packed) {
  const ConvolutionForm& form = form_of(plan, step);
  return packed.get(form.weights, kPackedForm, [&] {
    fetch_weights(plan, step);
    const int kernels = static_cast<int>(form.kernels), panels = divided(kernels, kInLanes);
    Tensor tensor(DType::f32, {panels, panel_floats(form)});
    cpu::parallel_for(panels, threads, [&](int panel) {
      const int first = panel * kInLanes;
      engine.taps_in_lanes(form.weights + first * form.columns(), form.columns(),
                           std::min(kInLanes, kernels - first), static_cast<int>(form.channels),
                           tensor.as<float>() + panel * panel_floats(form));
    });
    return tensor;
  });
}

void run(const Frame& frame, const Group& group, const float* packed) {
  const plan::WinogradPlan& own = winograd::own_plan(frame.plan, group.step);
  const ConvolutionForm& form = form_of(frame.plan, group.step);
  auto* const patches =
      reinterpret_cast<float*>(frame.work.planes() + frame.plan.convolutions[group.step].scratch);
  WinogradMap map;
  map.tile = own.tile;
  map.tiles_x = own.across;
  map.rows = own.down;
  map.plane = frame.plan.values[frame.plan.steps[group.step].inputs[0]].plane;
  map.pad_top = form.pad_top;
  map.pad_left = form.pad_left;
  const int channels = group.task.channels;
  const auto transform = [&](int piece) {
    const int first = piece * kLanes;
    frame.engine.patches_in_lanes(map, group.task.inputs + first,
                                  std::min(kLanes, channels - first),
                                  patches + std::int64_t{first} * kPatchInLanes);
  };
  for_each_piece(frame, divided(channels, kLanes), std::int64_t{channels} * kPatchInLanes,
                 transform);
  cpu::KernelsInLanes task;
  task.of = group.task;
  task.of.weights = packed;
  task.map = map;
  task.map.plane = group.task.plane;
  task.patches = patches;
  const int kernels = group.task.kernel_count;
  const std::int64_t macs = std::int64_t{1} * kernels * channels * kPatchInLanes;
  cpu::parallel_for(divided(kernels, kInLanes),
                    worth_sharing(frame, macs, kSharedMacs) ? frame.threads : 1,
                    [&](int panel) { frame.engine.kernels_in_lanes(task, panel); });
}

}  // namespace pdrt::run::winograd_in_lanes
