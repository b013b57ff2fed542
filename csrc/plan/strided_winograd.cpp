#include "plan/strided_winograd.h"

#include <algorithm>

#include "plan/winograd.h"

namespace pdrt::plan {
namespace {

// Transformed inputs of the tiles at hand should stay in a second-level cache: floats.
constexpr std::int64_t kWorkingSet = 96 * 1024;

// Weights become four times as large, and networks begin with few inputs: more were not measured.
constexpr std::int64_t kMostInputs = 16;

// Results are less exact than those of direct convolution: it must be so much cheaper.
constexpr double kWorthIt = 0.95;

int divided(int size, int tile) { return (size + tile - 1) / tile; }

// Rows of tiles to work on at once, so that few lanes are left over.
int rows_at_once(const ConvolutionForm& form, int across, int down, const Core& core) {
  const std::int64_t floats_per_tile = kStridedPositions * kStridedPhases * form.channels;
  int best = 1;
  double least = 0;
  for (int rows = 1; rows <= down; ++rows) {
    if (rows > 1 && rows * across * floats_per_tile > kWorkingSet) break;
    const double cost = strided_cost(form, rows, core).of(form.kernels, form.channels);
    if (rows == 1 || cost <= least) {
      best = rows;
      least = cost;
    }
  }
  return best;
}

bool can_be_used(const ConvolutionForm& form) {
  const int across = divided(form.out_w, kStridedTile);
  return form.filter_h == kStridedFilter && form.filter_w == kStridedFilter && form.stride_h == 2 &&
         form.stride_w == 2 && form.dilation_h == 1 && form.dilation_w == 1 && form.groups == 1 &&
         form.channels <= kMostInputs && has_winograd_columns(form, across, 2 * kStridedTile);
}

}  // namespace

StridedPlan plan_strided(const ConvolutionForm& form, const Core& core) {
  StridedPlan plan;
  if (!can_be_used(form)) return plan;
  plan.across = divided(form.out_w, kStridedTile);
  plan.down = divided(form.out_h, kStridedTile);
  plan.rows = rows_at_once(form, plan.across, plan.down, core);
  plan.cost = strided_cost(form, plan.rows, core);
  plan.tiles = divided(plan.rows * plan.across, kLanes) * kLanes;
  plan.input_columns = winograd_columns(form.pad_left, form.in_w);
  plan.output_columns = winograd_columns(0, form.out_w);
  return plan;
}

StridedPlan plan_strided(const ConvolutionForm& form, const Cost& direct,
                         const LayerCosts* measured, const Core& core) {
  StridedPlan plan = plan_strided(form, core);
  if (!plan.possible()) return plan;
  if (measured && !measured->strided) return {};
  if (measured) plan.cost = *measured->strided;
  const double cost = plan.cost.of(form.kernels, form.channels);
  return cost < kWorthIt * direct.of(form.kernels, form.channels) ? plan : StridedPlan{};
}

}  // namespace pdrt::plan
