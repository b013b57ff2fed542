#include "run/stored_weights.h"

#include "model/mapped_file.h"

namespace pdrt::run {
namespace {

struct Bytes {
  const void* first = nullptr;
  std::size_t count = 0;
};

Bytes weights_of(const plan::Step& step) {
  if (const auto* form = std::get_if<plan::ConvolutionForm>(&step.form))
    return {form->weights, form->kernels * form->group_channels() * form->taps() * sizeof(float)};
  if (const auto* form = std::get_if<plan::FullyConnectedForm>(&step.form))
    return {form->weights, form->kernels * form->columns * sizeof(float)};
  return {};
}

std::shared_ptr<const FileBytes> file_of(const plan::Plan& plan) {
  return std::static_pointer_cast<const FileBytes>(plan.program.graph->storage);
}

}  // namespace

void fetch_weights(const plan::Plan& plan, std::size_t step) {
  const Bytes bytes = weights_of(plan.steps[step]);
  file_of(plan)->fetch(bytes.first, bytes.count);
}

void release_weights(const plan::Plan& plan, std::size_t step) {
  const Bytes bytes = weights_of(plan.steps[step]);
  file_of(plan)->release(bytes.first, bytes.count);
}

}  // namespace pdrt::run
