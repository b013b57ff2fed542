#include "run/implementations.h"

#include "run/by_input.h"
#include "run/steps.h"

namespace pdrt::run {
namespace {

template <typename Form>
bool is(const plan::Step& step) {
  return std::holds_alternative<Form>(step.form);
}

bool is_depthwise(const plan::Step& step) {
  const auto* form = std::get_if<plan::ConvolutionForm>(&step.form);
  return form && form->depthwise();
}

bool is_by_input(const plan::Step& step) { return step.by_input; }

void run_view(const Frame&, std::size_t) {}

constexpr Implementation kImplementations[] = {
    {"planes.depthwise", is_depthwise, run_depthwise},
    {"planes.convolution", is<plan::ConvolutionForm>, run_convolution},
    {"fully_connected by input", is_by_input, run_by_input, pack_by_input},
    {"fully_connected", is<plan::FullyConnectedForm>, run_fully_connected},
    {"planes.pool", is<plan::PoolForm>, run_pool},
    {"planes.global_pool", is<plan::GlobalPoolForm>, run_global_pool},
    {"planes.elementwise", is<plan::ElementwiseForm>, run_elementwise},
    {"planes.concat", is<plan::ConcatForm>, run_concat},
    {"view", is<plan::ViewForm>, run_view},
    {"reference", [](const plan::Step&) { return true; }, run_reference},
};

}  // namespace

const Implementation& implementation_of(const plan::Step& step) {
  const Implementation* row = kImplementations;
  while (!row->accepts(step)) ++row;
  return *row;
}

}  // namespace pdrt::run
