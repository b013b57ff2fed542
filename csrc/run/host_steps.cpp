#include "run/host_steps.h"

#include "run/stored_weights.h"

namespace pdrt::run {
namespace {

bool packed_is_cheapest(const plan::Plan& plan, std::size_t s) {
  const auto& form = std::get<plan::ConvolutionForm>(plan.steps[s].form);
  return cheapest_way(plan, s, form.kernels / form.groups, form.group_channels()) != kDirect;
}

}  // namespace

HostSteps::HostSteps(const plan::Plan& plan, const cpu::Engine& engine, int threads,
                     PackedWeights& packed)
    : plan_(plan), packed_(plan.steps.size() * kWays, nullptr) {
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    const plan::Step& step = plan.steps[s];
    implementations_.push_back(&implementation_of(step));
    if (step.on_device) continue;
    const bool convolution = std::holds_alternative<plan::ConvolutionForm>(step.form);
    const bool reads_packed = convolution && packed_is_cheapest(plan, s);
    if (step.need == plan::kNeedAll && !reads_packed) fetch_weights(plan, s);  // for every run
    if (!convolution) continue;
    for (int index = 0; index < kWays; ++index) {
      if (!way(index).possible(plan, s)) continue;
      packed_[s * kWays + index] = way(index).pack(plan, s, engine, threads, packed);
    }
    if (reads_packed) release_weights(plan, s);
  }
  packed_bytes_ = packed.bytes();
  for (const Tensor& tensor : plan.packed) packed_bytes_ += tensor.bytes();
}

std::string HostSteps::implementation(std::size_t s) const {
  const plan::Step& step = plan_.steps[s];
  const auto* form = std::get_if<plan::ConvolutionForm>(&step.form);
  if (!form || form->depthwise()) return std::string(implementations_[s]->name);
  return name_of_way(plan_, s,
                     cheapest_way(plan_, s, form->kernels / form->groups, form->group_channels()));
}

}  // namespace pdrt::run
