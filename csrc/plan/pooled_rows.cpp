// Planes that a maximum pool behind them reads alone: it is done with their rows as they come, and
// the planes, which are more than a near cache holds, are never in memory as a whole.
#include <algorithm>

#include "plan/geometry.h"
#include "plan/plan.h"

namespace pdrt::plan {
namespace {

// Planes of so many bytes are worth it.
constexpr std::int64_t kLeastBytes = 768 * 1024;

// The window and its stride, if windows lie side by side and have no padding; else 0.
int side_of(const Step& step) {
  const auto* form = std::get_if<PoolForm>(&step.form);
  if (!form || !step.chain.empty()) return 0;
  const Pool& pool = form->pool;
  const bool plain = pool.maximum && pool.dilation_h == 1 && pool.dilation_w == 1 &&
                     pool.pad_top == 0 && pool.pad_left == 0 && pool.pad_bottom == 0 &&
                     pool.pad_right == 0;
  const bool square = pool.kernel_h == pool.kernel_w && pool.stride_h == pool.kernel_h &&
                      pool.stride_w == pool.kernel_w;
  return plain && square ? pool.kernel_h : 0;
}

// Whether Winograd's algorithm is what should compute the step however much of it is on. Where taps
// would be a little faster, rows that are pooled as they come make up for it.
bool is_always_winograd(const ConvolutionForm& form, const ConvolutionPlan& ways, int least_share) {
  constexpr double kLittle = 1.2;
  if (!ways.winograd.possible() || ways.winograd.in_lanes || ways.strided.possible()) return false;
  for (int share = 1; share <= least_share; share *= 2) {
    const std::int64_t kernels = form.kernels / share, channels = form.channels / share;
    const double taps = ways.direct.of(kernels, channels);
    if (ways.winograd.least_cost(kernels, channels) > kLittle * taps) return false;
  }
  return true;
}

bool makes_rows(const Plan& plan, std::size_t s, int least_share) {
  const Step& step = plan.steps[s];
  const auto* form = std::get_if<ConvolutionForm>(&step.form);
  const auto has_pixels = [](const ChainStage& stage) { return stage.operand == Operand::plane; };
  return form && step.outputs.size() == 1 &&
         is_always_winograd(*form, plan.convolutions[s], least_share) &&
         std::none_of(step.chain.begin(), step.chain.end(), has_pixels);
}

// The same map, with room for the rows that come at once, and for what is written behind them.
Plane rows_of(const Plane& whole, int rows, int tile) {
  Plane plane = whole;
  plane.stride = stride_for(plane.lead + rows * plane.row + tile * kLanes);
  return plane;
}

}  // namespace

void find_pooled_rows(Plan& plan) {
  const int least_share = plan.has_switches() ? 4 : 1;
  for (std::size_t s = 0; s + 1 < plan.steps.size(); ++s) {
    Step &step = plan.steps[s], &next = plan.steps[s + 1];
    const int side = side_of(next);
    if (side == 0 || !makes_rows(plan, s, least_share)) continue;
    if (plan.only_reader(step.outputs[0]) != static_cast<int>(s + 1)) continue;
    Placement& planes = plan.values[step.outputs[0]];
    const Plane& whole = *planes.plane;
    const auto& form = std::get<ConvolutionForm>(step.form);
    const WinogradPlan& winograd = plan.convolutions[s].winograd;
    const int rows = std::min(winograd.rows * winograd.tile, whole.height);
    if (whole.height % side != 0 || (rows < whole.height && rows % side != 0)) continue;
    if (form.kernels * whole.flat * static_cast<std::int64_t>(sizeof(float)) < kLeastBytes)
      continue;
    plan.convolutions[s].pools_rows = true;
    planes.plane = &plan.geometries.emplace_back(rows_of(whole, rows, winograd.tile));
    planes.in_passing = true;
    const std::string note = "'" + next.name + "' pools what '" + step.name +
                             "' makes as rows come, which counts as the time of '" + step.name +
                             "'";
    step.notes.push_back(note);
    next.notes.push_back(note);
  }
}

}  // namespace pdrt::plan
