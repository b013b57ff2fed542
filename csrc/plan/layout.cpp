// Geometries: one row length, lead and tail for all planes of the same height and width, so that
// whole planes are single flat ranges. Rows are long enough for every convolution that reads or
// writes them, or, where that wastes more than it saves, exactly as wide as the map.

#include <algorithm>
#include <limits>
#include <map>

#include "pdrt/error.h"
#include "plan/geometry.h"
#include "plan/plan.h"

namespace pdrt::plan {
namespace {

using Size = std::pair<std::int64_t, std::int64_t>;  // height, width

// Taps and plane offsets are 32-bit.
constexpr std::int64_t kMaxPlaneFloats = std::int64_t{1} << 28;
constexpr std::int64_t kMostPhaseFloats = std::numeric_limits<std::int32_t>::max();

// Filters that would need more phase planes than this keep the gap: scratch memory is bounded.
constexpr int kMostPhases = 16;

struct Demand {
  std::int64_t row = 0;
  std::int64_t before = 0, behind = 0;
};

std::int32_t flat_range(const Size& size, std::int64_t row) {
  return whole_lanes(size.first * row);
}

Plane make_plane(const Size& size, const Demand& demand, std::vector<std::uint32_t>& mask) {
  Plane plane;
  plane.height = static_cast<std::int32_t>(size.first);
  plane.width = static_cast<std::int32_t>(size.second);
  plane.row = static_cast<std::int32_t>(demand.row);
  plane.lead = whole_lanes(demand.before);
  plane.flat = flat_range(size, demand.row);
  plane.stride = stride_for(plane.lead + plane.flat + whole_lanes(demand.behind));
  mask.assign(plane.flat, 0);
  for (std::int32_t y = 0; y < plane.height; ++y) {
    std::fill_n(mask.begin() + std::int64_t{1} * y * plane.row, plane.width, ~std::uint32_t{0});
  }
  plane.mask = mask.data();
  return plane;
}

// What each way to compute a convolution is expected to cost, and with which tiles.
void choose_ways(ConvolutionPlan& convolution, const Step& step, const Plane& output,
                 const PlanOptions& options) {
  const auto& form = std::get<ConvolutionForm>(step.form);
  const bool in_panels = step.in_panels;
  convolution.direct =
      direct_cost(form, output, convolution.taps.floats_per_channel(), options.core);
  if (options.winograd_tile != 0) {
    convolution.winograd = plan_winograd(form, options.winograd_tile, in_panels, options.core);
    convolution.strided = plan_strided(form, options.core);
    if (step.switches()) add_weights_of_active(convolution.winograd, form, nullptr, options.core);
    return;
  }
  const LayerCosts* measured = nullptr;
  if (options.measured) {
    const auto at = options.measured->find(layer_key(form, in_panels));
    if (at != options.measured->end()) measured = &at->second;
  }
  if (measured) convolution.direct = measured->direct;
  convolution.winograd = plan_winograd(form, convolution.direct, measured, in_panels, options.core);
  convolution.strided = plan_strided(form, convolution.direct, measured, options.core);
  if (step.switches()) add_weights_of_active(convolution.winograd, form, measured, options.core);
}

Size size_of(const ConvolutionForm& form) { return {form.out_h, form.out_w}; }

// The step's form, if it is a convolution that reads by taps. Depthwise kernels do so where there
// is a gap, but need none.
const ConvolutionForm* form_with_taps(const Step& step) {
  const auto* form = std::get_if<ConvolutionForm>(&step.form);
  return form && !form->depthwise() ? form : nullptr;
}

// What all convolutions that write maps of this size are expected to cost, in rows so long; where
// there are switches, with less than everything on, too, each share of it weighing as much.
// Measurements of a machine hold for one geometry and must not change it.
double cost_of(const Plan& plan, const Size& size, std::int32_t row, const Core& core) {
  Plane plane;
  plane.row = row;
  plane.flat = flat_range(size, row);
  double cost = 0;
  const std::int64_t least_share = plan.has_switches() ? 4 : 1;
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    const Step& step = plan.steps[s];
    const auto* form = form_with_taps(step);
    if (!form || size_of(*form) != size) continue;
    const Taps taps = place_taps(*form, row, plane.flat);
    const Cost direct = direct_cost(*form, plane, taps.floats_per_channel(), core);
    WinogradPlan winograd = plan_winograd(*form, direct, nullptr, step.in_panels, core);
    if (step.switches()) add_weights_of_active(winograd, *form, nullptr, core);
    const StridedPlan strided = plan_strided(*form, direct, nullptr, core);
    for (std::int64_t share = 1; share <= least_share; share *= 2) {
      const std::int64_t kernels = form->kernels / form->groups / share,
                         channels = form->group_channels() / share;
      double least = direct.of(kernels, channels);
      if (winograd.possible()) least = std::min(least, winograd.least_cost(kernels, channels));
      if (strided.possible()) least = std::min(least, strided.cost.of(kernels, channels));
      cost += least * static_cast<double>(share * share * form->groups * step.layer->samples);
    }
  }
  return cost;
}

// Without the gap between rows, convolutions compute no pixels that are none, but filters of
// several columns need a copy of their input for each.
bool gap_pays(const Plan& plan, const Size& size, std::int32_t row, const Core& core) {
  const auto width = static_cast<std::int32_t>(size.second);
  for (const Step& step : plan.steps) {
    const auto* form = form_with_taps(step);
    if (!form || size_of(*form) != size || least_row(*form) <= width) continue;
    const Taps apart = place_taps(*form, width, flat_range(size, width));
    if (apart.phases.phase_count > kMostPhases || apart.floats_per_channel() > kMostPhaseFloats)
      return true;
  }
  return cost_of(plan, size, row, core) <= cost_of(plan, size, width, core);
}

}  // namespace

void lay_out(Plan& plan, const PlanOptions& options) {
  std::map<Size, Demand> demands;
  for (std::size_t id = 0; id < plan.program.values.size(); ++id) {
    if (!plan.planes[id]) continue;
    const Extent e = extent_of(plan.value(id).shape);
    Demand& demand = demands[{e.height, e.width}];
    demand.row = std::max(demand.row, e.width);
  }
  for (const Step& step : plan.steps) {
    if (const auto* form = form_with_taps(step)) {
      Demand& demand = demands.at(size_of(*form));
      demand.row = std::max<std::int64_t>(demand.row, least_row(*form));
    }
  }
  for (const auto& [size, demand] : demands) {
    if (size.first * demand.row > kMaxPlaneFloats) {
      throw ModelError(plan.program.graph->source + ": a feature map of " +
                       std::to_string(size.first) + "x" + std::to_string(size.second) +
                       " pixels is larger than the plane engine's limit of 2^28");
    }
  }
  for (auto& [size, demand] : demands) {
    const auto row = static_cast<std::int32_t>(demand.row);
    if (row > size.second && !gap_pays(plan, size, row, options.core)) demand.row = size.second;
  }
  for (const Step& step : plan.steps) {
    const auto* form = std::get_if<ConvolutionForm>(&step.form);
    if (!form) continue;
    Demand& demand = demands.at(size_of(*form));
    const auto row = static_cast<std::int32_t>(demand.row);
    if (!reads_directly(*form, row)) continue;
    const Reach reach = reach_of(*form, row);
    demand.before = std::max<std::int64_t>(demand.before, reach.before);
    demand.behind = std::max<std::int64_t>(demand.behind, reach.behind);
  }
  std::map<Size, const Plane*> geometries;
  for (const auto& [size, demand] : demands) {
    geometries[size] =
        &plan.geometries.emplace_back(make_plane(size, demand, plan.masks.emplace_back()));
  }
  plan.values.resize(plan.program.values.size());
  for (std::size_t id = 0; id < plan.program.values.size(); ++id) {
    if (!plan.planes[id]) continue;
    const Extent e = extent_of(plan.value(id).shape);
    plan.values[id].plane = geometries.at({e.height, e.width});
  }
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    if (const auto* form = std::get_if<ConvolutionForm>(&plan.steps[s].form)) {
      const Plane& output = *plan.values[plan.steps[s].outputs[0]].plane;
      Taps& taps = plan.convolutions[s].taps;
      taps = place_taps(*form, output.row, output.flat);
      if (taps.floats_per_channel() > kMostPhaseFloats) {
        throw ModelError(plan.program.graph->source + ": node '" + plan.steps[s].name +
                         "' (Conv): its input in phases is larger than 2^31 floats per channel");
      }
      choose_ways(plan.convolutions[s], plan.steps[s], output, options);
    }
  }
}

}  // namespace pdrt::plan
