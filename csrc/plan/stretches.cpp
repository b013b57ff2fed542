// Stretches: which steps a batch goes through sample by sample. Early layers of a network hand on
// more than caches hold for a whole batch, and their weights are small; late ones have large
// weights, which all samples should share while they are there. The small layers of switches
// between early layers go with these, or every switch would send all planes of all samples to far
// caches.
#include "plan/geometry.h"
#include "plan/plan.h"

namespace pdrt::plan {
namespace {

std::int64_t floats_per_sample(const Plan& plan, ValueId id) {
  const Extent e = extent_of(plan.value(id).shape);
  return e.channels * e.pixels();
}

// Fully connected layers of more weights are better off with all samples at once.
constexpr std::int64_t kFewWeights = std::int64_t{1} << 16;

// A layer of a switch: a number for each kernel and sample, N x K x 1 x 1, of those of the sample.
bool is_of_switch(const Plan& plan, const Step& step) {
  const auto* form = std::get_if<FullyConnectedForm>(&step.form);
  return form && form->kernels * form->columns <= kFewWeights &&
         plan.value(step.outputs[0]).shape.size() == 4;
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

bool small_weights(const Plan& plan, const Step& step) {
  const auto* form = std::get_if<ConvolutionForm>(&step.form);
  if (form == nullptr) return true;
  const std::int64_t weights = form->kernels * form->group_channels() * form->taps();
  return weights <=
         floats_per_sample(plan, step.inputs[0]) + floats_per_sample(plan, step.outputs[0]);
}

}  // namespace

void find_stretches(Plan& plan) {
  for (int s = 0; s < static_cast<int>(plan.steps.size()); ++s) {
    const Step& step = plan.steps[s];
    std::int64_t turns = small_weights(plan, step) ? turns_of(plan, step) : 1;
    const bool alone = plan.stretches.empty() || plan.stretches.back().turns != turns;
    if (alone && is_of_switch(plan, step)) turns = 1;  // nothing to keep near
    if (plan.stretches.empty() || plan.stretches.back().turns != turns)
      plan.stretches.push_back({s, s, turns});
    plan.stretches.back().last = s + 1;
  }
}

}  // namespace pdrt::plan
