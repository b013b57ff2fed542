#include "plan/pooled_means.h"

#include "plan/plan.h"

namespace pdrt::plan {
namespace {

bool is_mean_of_planes(const Step& step, const Needs& needs) {
  const auto* pool = std::get_if<GlobalPoolForm>(&step.form);
  return pool != nullptr && !pool->maximum && needs.multipliers(step.need).empty();
}

bool can_pool(const Step& step, ValueId planes, bool on_device) {
  const auto* form = std::get_if<ConvolutionForm>(&step.form);
  if (form == nullptr || form->depthwise() || step.outputs != std::vector<ValueId>{planes})
    return false;
  return !on_device || !step.has_switch();
}

}  // namespace

void fuse_pooled_means(const Program& program, std::vector<Step>& steps, Dependence& dependence,
                       const Needs& needs, bool on_device) {
  for (Step& pool : steps) {
    if (pool.ops.empty() || !is_mean_of_planes(pool, needs)) continue;
    const ValueId planes = pool.inputs[0];
    const int producer = program.values[planes].producer;
    if (producer < 0) continue;
    const int group = dependence.group_of(producer);
    Step& step = steps[group];
    if (!can_pool(step, planes, on_device)) continue;
    step.pooled = pool.outputs[0];
    step.outputs.push_back(step.pooled);
    step.ops.push_back(pool.ops[0]);
    dependence.merge(pool.ops[0], group);
    pool.ops.clear();
  }
}

// Planes whose means alone are read, which their step adds up as it stores them.
void find_only_pooled(Plan& plan) {
  for (const Step& step : plan.steps) {
    if (step.pooled == kAbsent) continue;
    const ValueId planes = step.outputs[0];
    const bool read = std::any_of(plan.steps.begin(), plan.steps.end(),
                                  [planes](const Step& other) { return other.reads(planes); });
    plan.values[planes].in_passing = !read && !plan.is_output(planes);
  }
}

}  // namespace pdrt::plan
