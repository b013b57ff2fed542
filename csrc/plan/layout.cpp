// Geometries: one row length, lead and tail for all planes of the same height and width, wide
// enough for every convolution that reads or writes them, so that whole planes are single flat
// ranges.

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

struct Demand {
  std::int64_t row = 0;
  std::int64_t before = 0, behind = 0;
};

std::int32_t round_up(std::int64_t x) {
  return static_cast<std::int32_t>((x + kLanes - 1) / kLanes * kLanes);
}

Plane make_plane(const Size& size, const Demand& demand, std::vector<std::uint32_t>& mask) {
  Plane plane;
  plane.height = static_cast<std::int32_t>(size.first);
  plane.width = static_cast<std::int32_t>(size.second);
  plane.row = static_cast<std::int32_t>(demand.row);
  plane.lead = round_up(demand.before);
  plane.flat = round_up(size.first * demand.row);
  plane.stride = plane.lead + plane.flat + round_up(demand.behind);
  if (plane.stride % 1024 == 0) plane.stride += kLanes;  // else all planes share a cache's lines
  mask.assign(plane.flat, 0);
  for (std::int32_t y = 0; y < plane.height; ++y) {
    std::fill_n(mask.begin() + std::int64_t{1} * y * plane.row, plane.width, ~std::uint32_t{0});
  }
  plane.mask = mask.data();
  return plane;
}

// What each way to compute a convolution is expected to cost, and with which tiles.
void choose_ways(ConvolutionPlan& convolution, const ConvolutionForm& form, const Plane& output,
                 const PlanOptions& options) {
  convolution.direct = direct_cost(form, output, convolution.taps.floats_per_channel());
  if (options.winograd_tile != 0) {
    convolution.winograd = plan_winograd(form, options.winograd_tile);
    return;
  }
  const LayerCosts* measured = nullptr;
  if (options.measured) {
    const auto at = options.measured->find(layer_key(form));
    if (at != options.measured->end()) measured = &at->second;
  }
  if (measured) convolution.direct = measured->direct;
  convolution.winograd = plan_winograd(form, convolution.direct, measured);
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
    if (const auto* form = std::get_if<ConvolutionForm>(&step.form)) {
      Demand& demand = demands.at({form->out_h, form->out_w});
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
  for (const Step& step : plan.steps) {
    const auto* form = std::get_if<ConvolutionForm>(&step.form);
    if (!form || !reads_directly(*form)) continue;
    Demand& demand = demands.at({form->out_h, form->out_w});
    const Reach reach = reach_of(*form, static_cast<std::int32_t>(demand.row));
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
  plan.convolutions.resize(plan.steps.size());
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    if (const auto* form = std::get_if<ConvolutionForm>(&plan.steps[s].form)) {
      const Plane& output = *plan.values[plan.steps[s].outputs[0]].plane;
      Taps& taps = plan.convolutions[s].taps;
      taps = place_taps(*form, output);
      if (taps.floats_per_channel() > std::numeric_limits<std::int32_t>::max()) {
        throw ModelError(plan.program.graph->source + ": node '" + plan.steps[s].name +
                         "' (Conv): its input in phases is larger than 2^31 floats per channel");
      }
      choose_ways(plan.convolutions[s], *form, output, options);
    }
  }
}

}  // namespace pdrt::plan
