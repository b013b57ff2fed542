// Inputs that every step takes apart into phases before it reads them: a network's first layer has
// a stride, mostly. Their pixels can be read where the caller holds them.
#include <algorithm>

#include "plan/plan.h"

namespace pdrt::plan {
namespace {

bool in_chain(const Step& step, ValueId id) {
  return std::any_of(step.chain.begin(), step.chain.end(),
                     [id](const ChainStage& stage) { return stage.value == id; });
}

bool reads(const Step& step, ValueId id) {
  return in_chain(step, id) ||
         std::find(step.inputs.begin(), step.inputs.end(), id) != step.inputs.end();
}

bool takes_apart(const Plan& plan, std::size_t s, ValueId id) {
  const Step& step = plan.steps[s];
  const auto* form = std::get_if<ConvolutionForm>(&step.form);
  return form && !form->depthwise() && !plan.convolutions[s].taps.direct &&
         !plan.convolutions[s].winograd.possible() && !in_chain(step, id);
}

}  // namespace

void find_inputs_apart(Plan& plan) {
  for (const ValueId id : plan.program.inputs) {
    const std::vector<ValueId>& outputs = plan.program.outputs;
    bool apart = plan.planes[id] && std::find(outputs.begin(), outputs.end(), id) == outputs.end();
    for (std::size_t s = 0; s < plan.steps.size() && apart; ++s)
      apart = !reads(plan.steps[s], id) || takes_apart(plan, s, id);
    plan.values[id].taken_apart = apart;
  }
}

}  // namespace pdrt::plan
