#include "plan/winograd.h"

#include <algorithm>

#include "planes/panels.h"

namespace pdrt::plan {
namespace {

// Transformed inputs, and as much in sums, of the tiles at hand should stay in a third-level cache
// that others use, too: floats. Few weights are read again from near, so that there may be less at
// once, which helps cores that multiply two vectors in a cycle.
constexpr std::int64_t kWorkingSet = 1280 * 1024, kWithFewWeights = kWorkingSet / 2;
constexpr std::int64_t kFewWeights = 640 * 1024;  // at all positions

// Larger tiles must be so much cheaper than what they replace: their weights take more memory, and
// their results are less exact.
constexpr double kWorthIt = 0.95;

// Weights of what is on that are transformed at once, in floats: most of a second-level cache. And
// of how many kernels there is room for when everything is on.
constexpr std::int64_t kActiveWeights = 224 * 1024, kLeastKernels = 4;

int divided(int size, int tile) { return (size + tile - 1) / tile; }

// Rows of tiles to work on at once, for which products and transforms are expected to cost least.
int rows_at_once(const ConvolutionForm& form, int tile, int across, int down, bool in_panels,
                 const Core& core) {
  const int side = tile + 2;
  const std::int64_t floats_per_tile =
      std::int64_t{1} * side * side * std::max(form.channels, form.kernels);
  const bool few = side * side * form.channels * form.kernels <= kFewWeights;
  const std::int64_t most = few && core.multiply_adds >= 2 ? kWithFewWeights : kWorkingSet;
  int best = 1;
  double least = 0;
  for (int rows = 1; rows <= down; ++rows) {
    const bool fits = tile * side * winograd_line(rows, across) <= kWinogradScratch &&
                      (rows * across <= 4 * kLanes || rows * across * floats_per_tile <= most);
    if (rows > 1 && !fits) break;
    const double cost =
        winograd_cost(form, tile, rows, in_panels, core).of(form.kernels, form.channels);
    if (rows == 1 || cost <= least) {
      best = rows;
      least = cost;
    }
  }
  return best;
}

// Whether kernels had better be lanes than tiles. Where a core multiplies half as much in a cycle,
// or has fewer registers, that was not measured.
bool fits_in_lanes(const WinogradPlan& plan, const Core& core) {
  return plan.tile == kTileInLanes && std::max(plan.across, plan.down) <= 2 && core.wide_tiles &&
         core.multiply_adds >= 2;
}

}  // namespace

std::vector<std::uint32_t> winograd_columns(int pad, int width) {
  std::vector<std::uint32_t> mask(kWinogradColumns, 0);
  std::fill_n(mask.begin() + pad, width, ~std::uint32_t{0});
  return mask;
}

bool has_winograd_columns(const ConvolutionForm& form, int across, int step) {
  const int read = step * divided(across, kLanes) * kLanes + kLanes;
  return std::max({read, form.pad_left + form.in_w, form.out_w}) <= kWinogradColumns;
}

std::string winograd_obstacle(const ConvolutionForm& form) {
  if (form.filter_h != 3 || form.filter_w != 3) return "the filter is not 3x3";
  if (form.stride_h != 1 || form.stride_w != 1) return "the stride is not 1";
  if (form.dilation_h != 1 || form.dilation_w != 1) return "the dilation is not 1";
  if (form.groups != 1) return "it has groups";
  if (form.pad_top > 2 || form.pad_left > 2) return "the padding is more than the filter reaches";
  return {};
}

WinogradPlan plan_winograd(const ConvolutionForm& form, int tile, bool in_panels,
                           const Core& core) {
  WinogradPlan plan;
  plan.refused = winograd_obstacle(form);
  if (!plan.refused.empty()) return plan;
  plan.across = divided(form.out_w, tile);
  if (tile * (tile + 2) * winograd_line(1, plan.across) > kWinogradScratch ||
      !has_winograd_columns(form, plan.across, tile)) {
    plan.refused = "the map is too wide";
    return plan;
  }
  plan.tile = tile;
  plan.down = divided(form.out_h, tile);
  plan.in_lanes = in_panels && fits_in_lanes(plan, core);
  if (plan.in_lanes) {
    plan.rows = plan.down;
    plan.cost = winograd_in_lanes_cost();
  } else {
    plan.rows = rows_at_once(form, tile, plan.across, plan.down, in_panels, core);
    plan.cost = winograd_cost(form, tile, plan.rows, in_panels, core);
  }
  plan.tiles = divided(plan.rows * plan.across, kLanes) * kLanes;
  plan.weights_stride =
      in_panels ? panel_floats(form.kernels, form.channels) : form.kernels * form.channels;
  plan.scratch_floats =
      plan.in_lanes ? form.channels * kPatchInLanes : plan.floats_of(form.channels, form.kernels);
  plan.input_columns = winograd_columns(form.pad_left, form.in_w);
  plan.output_columns = winograd_columns(0, form.out_w);
  return plan;
}

WinogradPlan plan_winograd(const ConvolutionForm& form, const Cost& direct,
                           const LayerCosts* measured, bool in_panels, const Core& core) {
  WinogradPlan best;
  double least = direct.of(form.kernels, form.channels);
  best.refused = "visiting the taps is expected to be faster";
  for (int tile : {2, 4, 6}) {
    WinogradPlan plan = plan_winograd(form, tile, in_panels, core);
    if (!plan.possible()) {
      best.refused = plan.refused;
      continue;
    }
    if (measured) {
      const std::optional<Cost>& known = measured->winograd[tile / 2 - 1];
      if (!known) continue;
      plan.cost = *known;
    }
    const double cost = plan.cost.of(form.kernels, form.channels);
    if (cost >= kWorthIt * least) continue;
    least = cost;
    best = std::move(plan);
  }
  return best;
}

void add_weights_of_active(WinogradPlan& plan, const ConvolutionForm& form,
                           const LayerCosts* measured, const Core& core) {
  if (!plan.possible()) return;
  plan.of_active = winograd_of_active_cost(form, plan.tile, plan.rows, kActiveWeights, core);
  if (measured) plan.of_active = measured->of_active[plan.tile / 2 - 1];
  if (!plan.of_active) return;
  const std::int64_t row = (form.channels + kLanes - 1) / kLanes * kLanes;
  plan.scratch_floats += plan.positions() * (kLeastKernels * row + kLanes);
}

std::int64_t WinogradPlan::floats_for_weights(std::int64_t channels, std::int64_t kernels) const {
  return std::min(kActiveWeights, scratch_floats - floats_of(channels, kernels));
}

}  // namespace pdrt::plan
