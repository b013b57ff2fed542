// Inputs that every step takes apart into phases before it reads them: a network's first layer has
// a stride, mostly. Their pixels can be read where the caller holds them.
#include "plan/plan.h"

namespace pdrt::plan {
namespace {

bool takes_apart(const Plan& plan, std::size_t s, ValueId id) {
  const Step& step = plan.steps[s];
  const auto* form = std::get_if<ConvolutionForm>(&step.form);
  return form && !form->depthwise() && !plan.convolutions[s].taps.direct &&
         !plan.convolutions[s].winograd.possible() && !step.reads_in_chain(id);
}

}  // namespace

void find_inputs_apart(Plan& plan) {
  for (const ValueId id : plan.program.inputs) {
    bool apart = plan.planes[id] && !plan.is_output(id);
    for (std::size_t s = 0; s < plan.steps.size() && apart; ++s)
      apart = !plan.steps[s].reads(id) || takes_apart(plan, s, id);
    plan.values[id].taken_apart = apart;
  }
}

}  // namespace pdrt::plan
