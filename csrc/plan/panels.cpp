// Whose weights lie in panels, see planes/panels.h: layers whose inputs may be off while their
// kernels never are, such as the second convolution of a block behind a switched first, or the
// fully connected layer behind the last convolution. Kernel by kernel, nearly all lines hold a
// weight of an input that is on, however few those are. And convolutions with nothing off, where a
// tile computes many kernels of a panel: it is one stream from memory then.
#include "plan/plan.h"
#include "plan/recognise.h"

namespace pdrt::plan {
namespace {

// Fewer weights of a fully connected layer, which would be copied for it, come from a near cache.
constexpr std::int64_t kLeastWeights = std::int64_t{1} << 18;

// Whether a channel comes out as a constant where it goes in as one.
bool passes_on(const Program& program, const Step& step) {
  if (const auto* form = std::get_if<ConvolutionForm>(&step.form)) return form->depthwise();
  return std::holds_alternative<PoolForm>(step.form) ||
         std::holds_alternative<GlobalPoolForm>(step.form) ||
         std::holds_alternative<ConcatForm>(step.form) ||
         (std::holds_alternative<ElementwiseForm>(step.form) && step.inputs.size() == 1) ||
         is_view(program.ops[step.ops[0]]);
}

// Whether there is a way to compute the step with weights in panels, and it is worth it.
bool has_panels(const Step& step, bool off_inputs, const Core& core) {
  if (const auto* form = std::get_if<ConvolutionForm>(&step.form))
    return (off_inputs || core.wide_tiles) && winograd_obstacle(*form).empty();
  const auto* form = std::get_if<FullyConnectedForm>(&step.form);
  return form && off_inputs && form->kernels * form->columns >= kLeastWeights;
}

}  // namespace

void find_panels(Plan& plan, const Core& core) {
  std::vector<bool> may_be_off(plan.program.values.size(), false);
  for (Step& step : plan.steps) {
    const bool off_inputs = std::any_of(step.inputs.begin(), step.inputs.end(), [&](ValueId id) {
      return id != kAbsent && may_be_off[id];
    });
    step.in_panels = !step.switches() && !step.on_device && has_panels(step, off_inputs, core);
    if (!step.switches() && !(off_inputs && passes_on(plan.program, step))) continue;
    for (const ValueId id : step.outputs) {
      if (id != kAbsent) may_be_off[id] = true;
    }
  }
}

}  // namespace pdrt::plan
