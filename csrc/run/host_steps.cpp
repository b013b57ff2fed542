#include "run/host_steps.h"

#include "model/mapped_file.h"

namespace pdrt::run {
namespace {

// The file's weights, where another form of them is what will usually be read.
void release_weights(const plan::Plan& plan, std::size_t s) {
  const auto& form = std::get<plan::ConvolutionForm>(plan.steps[s].form);
  const std::int64_t kernels = form.kernels / form.groups, channels = form.group_channels();
  if (cheapest_way(plan, s, kernels, channels) == kDirect) return;
  const auto file = std::static_pointer_cast<const FileBytes>(plan.program.graph->storage);
  file->release(form.weights, form.kernels * channels * form.taps() * sizeof(float));
}

}  // namespace

HostSteps::HostSteps(const plan::Plan& plan, const cpu::Engine& engine, int threads,
                     PackedWeights& packed)
    : plan_(plan), packed_(plan.steps.size() * kWays, nullptr) {
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    const plan::Step& step = plan.steps[s];
    implementations_.push_back(&implementation_of(step));
    if (step.on_device || !std::holds_alternative<plan::ConvolutionForm>(step.form)) continue;
    for (int index = 0; index < kWays; ++index) {
      if (!way(index).possible(plan, s)) continue;
      packed_[s * kWays + index] = way(index).pack(plan, s, engine, threads, packed);
    }
    release_weights(plan, s);
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
