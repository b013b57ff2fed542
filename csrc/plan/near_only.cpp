// Steps that only threads with near caches should share: what one thread hands to another comes
// line by line, and where that takes long, a second thread can cost more than it computes.
#include <algorithm>

#include "plan/geometry.h"
#include "plan/plan.h"

namespace pdrt::plan {
namespace {

// Multiply-adds that make up for a line that threads hand on between caches that lie apart: in a
// step between others that one thread does alone; and in a whole network, of which all steps are
// then shared, because a step alone would leave all its planes where only one of the next two
// threads has them. And the lines beyond which caches hold none of it anyway. Measured on Zen 4,
// see bench/NOTES.md.
constexpr std::int64_t kOfStep = 1500, kOfNetwork = 700;
constexpr std::int64_t kMostLines = 64 * 1024;

std::int64_t floats_of(const Plan& plan, ValueId id) {
  const Extent e = extent_of(plan.value(id).shape);
  return e.channels * e.pixels();
}

// For one sample with everything on: multiply-adds of the way that is expected to be the fastest,
// and lines of what is written or read, scratch included.
struct Effort {
  std::int64_t macs = 0, lines = 0;
  bool worth(std::int64_t macs_per_line) const { return macs >= macs_per_line * lines; }
};

// The same for a convolution's products, with floats of scratch.
struct Products {
  std::int64_t macs = 0, scratch = 0;
};

Products products_of(const ConvolutionForm& form, const ConvolutionPlan& ways) {
  const std::int64_t k = form.kernels, c = form.channels;
  double least = ways.direct.of(k, c);
  Products products{k * form.columns() * form.out_h * form.out_w, 0};
  if (const WinogradPlan& own = ways.winograd; own.possible() && own.cost.of(k, c) < least) {
    least = own.cost.of(k, c);
    const std::int64_t tiles = std::int64_t{1} * own.positions() * own.across * own.down;
    products = {tiles * c * k, tiles * (c + k)};
  }
  if (const StridedPlan& own = ways.strided; own.possible() && own.cost.of(k, c) < least) {
    const std::int64_t tiles = std::int64_t{1} * own.across * own.down;
    products = {tiles * kStridedPositions * kStridedPhases * c * k, 0};  // scratch of each thread
  }
  return products;
}

// Without lines where nothing is made of planes.
Effort effort_of(const Plan& plan, std::size_t s) {
  const Step& step = plan.steps[s];
  const bool in_passing = plan.strips[s].rows > 0 || plan.convolutions[s].pools_rows;
  const ValueId output = in_passing ? plan.steps[s + 1].outputs[0] : step.outputs[0];
  if (step.inputs.empty() || output == kAbsent || !plan.values[output].plane) return {};
  const auto* form = std::get_if<ConvolutionForm>(&step.form);
  const Products products = form ? products_of(*form, plan.convolutions[s]) : Products{};
  const std::int64_t floats =
      floats_of(plan, step.inputs[0]) + floats_of(plan, output) + products.scratch;
  return {products.macs, std::min(kMostLines, floats / kLanes)};
}

}  // namespace

void find_near_only(Plan& plan) {
  const std::size_t steps = plan.steps.size();
  plan.near_only.assign(steps, false);
  Effort all;
  for (std::size_t s = 0; s < steps; ++s) {
    const Effort effort = effort_of(plan, s);
    all.macs += effort.macs;
    all.lines += effort.lines;
  }
  if (all.worth(kOfNetwork)) return;
  for (std::size_t s = 0; s < steps; ++s) plan.near_only[s] = !effort_of(plan, s).worth(kOfStep);
}

}  // namespace pdrt::plan
