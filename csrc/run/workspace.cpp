#include "run/workspace.h"

#include <numeric>

#include "pdrt/error.h"
#include "run/by_input.h"
#include "run/folded_constants.h"
#include "run/pooled_means.h"
#include "run/samples_together.h"

namespace pdrt::run {
namespace {

using Form = plan::FullyConnectedForm;

std::size_t together(const plan::Plan& plan) {
  return static_cast<std::size_t>(std::min<std::int64_t>(plan.max_samples, kSamplesTogether));
}

// The most rows, or columns, that a fully connected layer has.
std::size_t longest(const plan::Plan& plan, std::int64_t Form::*size) {
  std::int64_t most = 0;
  for (const plan::Step& step : plan.steps) {
    if (const auto* form = std::get_if<Form>(&step.form)) most = std::max(most, form->*size);
  }
  return static_cast<std::size_t>(most);
}

}  // namespace

Workspace::Workspace(const plan::Plan& plan, Lent lent)
    : channels(plan.states, Channel::on),
      off_values(plan.states, 0.0f),
      inputs(plan.values.size(), nullptr),
      callers_planes(plan.values.size()),
      counts(plan.steps.size() * plan.max_samples),
      samples(plan.max_samples),
      needed(plan.max_channels),
      scratch(plan.needs.scratch_bytes(plan.max_channels)),
      nonzero(plan.max_channels),
      kernels(plan.max_channels),
      stage_kernels(plan.max_channels),
      input_channels(plan.max_channels),
      folded_channels(plan.max_channels),
      input_planes(plan.max_channels),
      patch_planes(plan.max_channels),
      visited_channels(plan.max_channels),
      visited_planes(plan.max_channels),
      places(plan.max_channels),
      row_lists(together(plan), std::vector<std::int32_t>(longest(plan, &Form::kernels))),
      column_lists(together(plan), std::vector<std::int32_t>(longest(plan, &Form::columns))),
      sums_by_input(DType::f32, {run::sums_by_input(plan)}),
      bias(plan.max_channels),
      folded_inputs(folded_columns(plan)),
      folded_mask(folded_inputs.size()),
      folded_blocks(folded_inputs.size() / kLanes),
      lane_sums(PooledMeans::floats(plan)),
      strip_planes(plan.max_channels),
      strip_nonzero(plan.states),
      calls(plan.steps.size()) {
  std::iota(places.begin(), places.end(), 0);
  const std::size_t planes_bytes = lent.planes ? 0 : plan.planes_bytes,
                    bytes = planes_bytes + (lent.dense ? 0 : plan.dense_bytes);
  try {
    arena_ = Tensor(DType::u8, {static_cast<std::int64_t>(bytes)});
  } catch (const std::bad_alloc&) {
    throw DeviceError(plan.program.graph->source + ": the plan needs " +
                      std::to_string(bytes >> 20) +
                      " MiB for activations, which this machine does not give");
  }
  auto* const memory = static_cast<std::byte*>(arena_.data());
  if (!lent.planes) planes_ = memory;
  if (!lent.dense) dense_ = memory + planes_bytes;
}

}  // namespace pdrt::run
