#include "plan/plan.h"

#include <cstddef>
#include <functional>

#include "plan/dependence.h"
#include "plan/fuse.h"
#include "plan/geometry.h"
#include "plan/pooled_means.h"
#include "plan/recognise.h"
#include "plan/switches.h"

namespace pdrt::plan {

int Plan::only_reader(ValueId id) const {
  int reader = -1;
  for (std::size_t s = 0; s < steps.size(); ++s) {
    if (!steps[s].reads(id)) continue;
    if (reader >= 0) return -1;
    reader = static_cast<int>(s);
  }
  return is_output(id) ? -1 : reader;
}

bool Plan::owns(const void* numbers) const {
  const auto holds = [at = static_cast<const std::byte*>(numbers)](const Tensor& tensor) {
    const auto* const first = static_cast<const std::byte*>(tensor.data());
    return !std::less<>()(at, first) && std::less<>()(at, first + tensor.bytes());
  };
  return std::any_of(packed.begin(), packed.end(), holds) ||
         std::any_of(program.owned.begin(), program.owned.end(), holds);
}

std::unique_ptr<const Plan> make_plan(const Graph& graph, const std::vector<Shape>& shapes,
                                      const std::vector<ValueId>& outputs,
                                      const PlanOptions& options) {
  auto plan = std::make_unique<Plan>();
  plan->program = specialise(graph, shapes, outputs);
  Program& program = plan->program;
  if (options.reference) {
    plan->planes.assign(program.values.size(), false);
    plan->steps = reference_steps(program);
  } else {
    simplify(program);
    plan->planes = choose_planes(program);
    Dependence dependence(program);
    std::vector<Step> steps = fuse(program, plan->planes, dependence, plan->packed);
    find_switches(program, plan->planes, steps, dependence, plan->needs);
    fuse_pooled_means(program, steps, dependence, plan->needs, options.on_device != nullptr);
    for (int group : dependence.order()) plan->steps.push_back(std::move(steps[group]));
  }
  if (options.on_device) {
    place_steps(*plan, options.on_device, options.switches_on_device);
  } else {
    fold_normalisations(*plan);
    centre_channels(*plan);
  }
  plan->convolutions.resize(plan->steps.size());
  choose_weight_forms(*plan, options.core);
  lay_out(*plan, options);
  plan->strips.resize(plan->steps.size());
  if (!options.on_device) {
    find_inputs_apart(*plan);
    find_stretches(*plan);
    find_strips(*plan);
    if (options.winograd_tile == 0) find_pooled_rows(*plan);
    find_only_pooled(*plan);
  }
  find_near_only(*plan);
  assign_memory(*plan, options);
  return plan;
}

}  // namespace pdrt::plan
