// Strips: a convolution whose planes are more than a near cache holds, and read by nobody but a
// depthwise one, the next step, hands them on a few rows at a time.
#include <algorithm>

#include "plan/geometry.h"
#include "plan/plan.h"

namespace pdrt::plan {
namespace {

// Planes of so many bytes are worth it, and strips of so many stay in a second-level cache beside
// what they are made of.
constexpr std::int64_t kLeastBytes = 768 * 1024;
constexpr std::int64_t kStripBytes = 400 * 1024;

// Convolutions that are computed pixel by pixel, in any order.
bool makes_rows(const Plan& plan, std::size_t s) {
  const Step& step = plan.steps[s];
  const auto* form = std::get_if<ConvolutionForm>(&step.form);
  return form && !form->depthwise() && step.outputs.size() == 1 && step.pooled == kAbsent &&
         !plan.convolutions[s].by_tiles();
}

// Stages of numbers that are known, which the engine computes as rows come, and which make a
// constant of a constant.
bool is_simple(const ChainStage& stage) {
  constexpr Stage kSimple[] = {Stage::affine, Stage::relu, Stage::leaky_relu, Stage::clip};
  return stage.value == kAbsent &&
         std::find(std::begin(kSimple), std::end(kSimple), stage.stage) != std::end(kSimple);
}

// Whether the step can follow. (At stride 1 it is faster over whole planes, each a flat loop, than
// over rows of strips.)
bool reads_rows(const Step& step) {
  const auto* form = std::get_if<ConvolutionForm>(&step.form);
  return form && form->depthwise() && form->kernels == form->channels && form->stride_h > 1 &&
         std::all_of(step.chain.begin(), step.chain.end(), is_simple);
}

// Rows of a strip: so many that the next step makes whole blocks of rows of them. 0 where strips
// would not be worth it.
int strip_rows(const Plane& plane, std::int64_t kernels, const Window& window) {
  const auto bytes = static_cast<std::int64_t>(sizeof(float)) * kernels;
  if (bytes * plane.flat < kLeastBytes) return 0;
  const int block = kDepthwiseRows * window.stride_h;
  const std::int64_t blocks = std::max<std::int64_t>(1, kStripBytes / (bytes * plane.row * block));
  return 2 * blocks * block <= plane.height ? static_cast<int>(blocks) * block : 0;
}

// The same map, with room for one strip and for the rows above it that are still needed, both moved
// so that groups of pixels lie as they do in whole planes, and for what groups reach beyond.
Plane strip_plane(const Plane& whole, const Strips& strips) {
  Plane plane = whole;
  plane.lead = whole_lanes(std::int64_t{1} * strips.halo * whole.row + kLanes);
  plane.stride = stride_for(plane.lead + strips.rows * whole.row + 2 * kLanes);
  return plane;
}

}  // namespace

void find_strips(Plan& plan) {
  for (std::size_t s = 0; s + 1 < plan.steps.size(); ++s) {
    Step &step = plan.steps[s], &next = plan.steps[s + 1];
    if (!reads_rows(next) || !makes_rows(plan, s)) continue;
    if (plan.only_reader(step.outputs[0]) != static_cast<int>(s + 1)) continue;
    const Window window = std::get<ConvolutionForm>(next.form).window();
    Placement& between = plan.values[step.outputs[0]];
    const std::int64_t kernels = std::get<ConvolutionForm>(step.form).kernels;
    const Strips strips{strip_rows(*between.plane, kernels, window),
                        (window.filter_h - 1) * window.dilation_h};
    if (strips.rows == 0) continue;
    plan.strips[s] = strips;
    between.plane = &plan.geometries.emplace_back(strip_plane(*between.plane, strips));
    between.in_passing = true;
    const std::string note = "'" + step.name + "' hands on strips of " +
                             std::to_string(strips.rows) + " rows, and what '" + next.name +
                             "' makes of them counts as its time";
    step.notes.push_back(note);
    next.notes.push_back(note);
  }
}

}  // namespace pdrt::plan
