// Which convolutions' Winograd weights lie in panels, see planes/panels.h: those whose inputs may
// be off while their kernels never are, such as the second one of a block behind a switched first.
// Kernel by kernel, nearly all lines hold a weight of an input that is on, however few those are.
#include "plan/plan.h"

namespace pdrt::plan {
namespace {

// Whether any channel of what the step makes can be switched off there.
bool switches(const Step& step) { return step.need != kNeedAll || step.has_switch(); }

// Whether a channel comes out as a constant where it goes in as one.
bool passes_on(const Step& step) {
  if (const auto* form = std::get_if<ConvolutionForm>(&step.form)) return form->depthwise();
  return std::holds_alternative<PoolForm>(step.form) ||
         std::holds_alternative<ConcatForm>(step.form) ||
         (std::holds_alternative<ElementwiseForm>(step.form) && step.inputs.size() == 1);
}

}  // namespace

void find_panels(Plan& plan) {
  std::vector<bool> may_be_off(plan.program.values.size(), false);
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    const Step& step = plan.steps[s];
    const bool off_inputs = std::any_of(step.inputs.begin(), step.inputs.end(), [&](ValueId id) {
      return id != kAbsent && may_be_off[id];
    });
    const auto* form = std::get_if<ConvolutionForm>(&step.form);
    plan.convolutions[s].in_panels = form && winograd_obstacle(*form).empty() && !step.on_device &&
                                     off_inputs && !switches(step);
    if (!switches(step) && !(off_inputs && passes_on(step))) continue;
    for (const ValueId id : step.outputs) {
      if (id != kAbsent) may_be_off[id] = true;
    }
  }
}

}  // namespace pdrt::plan
