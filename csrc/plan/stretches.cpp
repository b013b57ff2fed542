// Stretches: which steps a batch goes through sample by sample. Early layers of a network hand on
// more than caches hold for a whole batch, and their weights are small; late ones have large
// weights, which all samples should share while they are there. What a step finds in use counts
// whether it reads it or not: a residual has to wait for as long as the step takes. The layers of
// switches between early layers go with these, or every switch would send all planes of all samples
// to far caches.
#include <algorithm>

#include "plan/geometry.h"
#include "plan/plan.h"

namespace pdrt::plan {
namespace {

// Weights of a step that samples pass one by one, for each float of the planes of one of them.
constexpr std::int64_t kMostWeights = 3;

// By step, floats per sample of the planes that it makes, and of those that it or a later one
// reads.
std::vector<std::int64_t> planes_in_use(const Plan& plan) {
  const int steps = static_cast<int>(plan.steps.size());
  std::vector<int> last_reader(plan.values.size(), -1);
  for (int s = 0; s < steps; ++s) {
    for (ValueId id : plan.steps[s].inputs) {
      if (id != kAbsent) last_reader[id] = s;
    }
    for (const ChainStage& stage : plan.steps[s].chain) {
      if (stage.value != kAbsent) last_reader[stage.value] = s;
    }
  }
  std::vector<std::int64_t> floats(steps, 0);
  for (int s = 0; s < steps; ++s) {
    for (ValueId id : plan.steps[s].outputs) {
      if (id == kAbsent || !plan.values[id].plane) continue;
      const Extent e = extent_of(plan.value(id).shape);
      for (int t = s; t <= std::max(s, last_reader[id]); ++t) floats[t] += e.channels * e.pixels();
    }
  }
  return floats;
}

// A layer of a switch: a number for each kernel and sample, N x K x 1 x 1, of those of the sample.
bool is_of_switch(const Plan& plan, const Step& step) {
  const auto* form = std::get_if<FullyConnectedForm>(&step.form);
  return form && plan.value(step.outputs[0]).shape.size() == 4;
}

// How many samples may take turns in the step: it makes planes, or a switch of its sample. All else
// that it reads has been there before the stretch, because no step of one makes anything else.
std::int64_t turns_of(const Plan& plan, const Step& step) {
  const bool planes = std::holds_alternative<ConvolutionForm>(step.form) ||
                      std::holds_alternative<PoolForm>(step.form) ||
                      std::holds_alternative<ElementwiseForm>(step.form) ||
                      std::holds_alternative<ConcatForm>(step.form);
  return planes || is_of_switch(plan, step) ? extent_of(plan.value(step.outputs[0]).shape).samples
                                            : 1;
}

std::int64_t weights_of(const Step& step) {
  if (const auto* form = std::get_if<ConvolutionForm>(&step.form))
    return form->kernels * form->columns();
  if (const auto* form = std::get_if<FullyConnectedForm>(&step.form))
    return form->kernels * form->columns;
  return 0;
}

}  // namespace

void find_stretches(Plan& plan) {
  const std::vector<std::int64_t> planes = planes_in_use(plan);
  for (int s = 0; s < static_cast<int>(plan.steps.size()); ++s) {
    const Step& step = plan.steps[s];
    std::int64_t turns = weights_of(step) <= kMostWeights * planes[s] ? turns_of(plan, step) : 1;
    const bool alone = plan.stretches.empty() || plan.stretches.back().turns != turns;
    if (alone && is_of_switch(plan, step)) turns = 1;  // nothing to keep near
    if (plan.stretches.empty() || plan.stretches.back().turns != turns)
      plan.stretches.push_back({s, s, turns});
    plan.stretches.back().last = s + 1;
  }
}

}  // namespace pdrt::plan
