#include "run/host_steps.h"

#include "run/stored_weights.h"

namespace pdrt::run {

HostSteps::HostSteps(const plan::Plan& plan, const cpu::Engine& engine, int threads,
                     PackedWeights& of_session)
    : plan_(plan), packed_(plan.steps.size() * kWays, nullptr) {
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    const plan::Step& step = plan.steps[s];
    implementations_.push_back(&implementation_of(step));
    if (step.on_device) continue;
    PackedWeights& packed = plan.owns(stored_weights(step)) ? own_weights_ : of_session;
    if (const auto pack = implementations_.back()->pack)
      packed_[s * kWays] = pack(plan, s, engine, threads, packed);
    if (!std::holds_alternative<plan::ConvolutionForm>(step.form)) continue;
    for (int index = 0; index < kWays; ++index) {
      if (!way(index).possible(plan, s)) continue;
      packed_[s * kWays + index] = way(index).pack(plan, s, engine, threads, packed);
    }
    if (prefers_packed(s)) release_weights(plan, s);
  }
  packed_bytes_ = of_session.bytes() + own_weights_.bytes();
  for (const Tensor& tensor : plan.packed) packed_bytes_ += tensor.bytes();
}

bool HostSteps::prefers_packed(std::size_t s) const {
  const auto* form = std::get_if<plan::ConvolutionForm>(&plan_.steps[s].form);
  if (!form)
    return packed_[s * kWays] != nullptr && packed_[s * kWays] != stored_weights(plan_.steps[s]);
  return cheapest_way(plan_, s, form->kernels / form->groups, form->group_channels()) != kDirect;
}

void HostSteps::before_first_run() const {
  for (std::size_t s = 0; s < plan_.steps.size(); ++s) {
    const plan::Step& step = plan_.steps[s];
    if (!step.on_device && step.need == plan::kNeedAll && !prefers_packed(s))
      fetch_weights(plan_, s);
  }
}

std::string HostSteps::implementation(std::size_t s) const {
  const plan::Step& step = plan_.steps[s];
  const auto* form = std::get_if<plan::ConvolutionForm>(&step.form);
  if (!form || form->depthwise()) return std::string(implementations_[s]->name);
  return name_of_way(plan_, s,
                     cheapest_way(plan_, s, form->kernels / form->groups, form->group_channels()));
}

}  // namespace pdrt::run
