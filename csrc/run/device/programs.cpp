#include "run/device/programs.h"

#include "run/device/dense_programs.h"

namespace pdrt::run::device {
namespace {

template <typename Form>
bool is(const plan::Plan&, const plan::Step& step) {
  return std::holds_alternative<Form>(step.form);
}

bool is_depthwise(const plan::Plan&, const plan::Step& step) {
  const auto* form = std::get_if<plan::ConvolutionForm>(&step.form);
  return form && form->depthwise();
}

// Float32 under another shape, from planes to dense or back.
bool is_reshape(const plan::Plan& plan, const plan::Step& step) {
  if (!std::holds_alternative<plan::ReferenceForm>(step.form)) return false;
  const std::string_view kind = plan.program.ops[step.ops[0]].kind();
  const bool reshapes =
      kind == "Flatten" || kind == "Reshape" || kind == "Squeeze" || kind == "Unsqueeze";
  return reshapes && plan.planes[step.inputs[0]] != plan.planes[step.outputs[0]];
}

// One of the functions of dense_programs.h.
template <auto& Find>
bool has(const plan::Plan& plan, const plan::Step& step) {
  return Find(plan, step).has_value();
}

struct Row {
  bool (*accepts)(const plan::Plan& plan, const plan::Step& step);
  std::unique_ptr<DeviceStep> (*make)(Builder& builder, std::size_t step, bool changing);
};

constexpr Row kRows[] = {
    {is_depthwise, make_depthwise},
    {is<plan::ConvolutionForm>, make_convolution},
    {is<plan::FullyConnectedForm>, make_fully_connected},
    {is<plan::PoolForm>, make_pool},
    {is<plan::GlobalPoolForm>, make_global_pool},
    {is<plan::ElementwiseForm>, make_elementwise},
    {is<plan::ConcatForm>, make_concat},
    {is<plan::ViewForm>, make_view},
    {is_reshape, make_reshape},
    {has<expression_of>, make_broadcast},
    {has<reduction_of>, make_reduction},
    {has<softmax_of>, make_softmax},
};

const Row* row_for(const plan::Plan& plan, const plan::Step& step) {
  for (const Row& row : kRows) {
    if (row.accepts(plan, step)) return &row;
  }
  return nullptr;
}

}  // namespace

plan::DeviceAnswer answer_for(const plan::Plan& plan, const plan::Step& step,
                              const WayTable& ways) {
  const bool stored = !std::holds_alternative<plan::ReferenceForm>(step.form) &&
                      plan.value(step.inputs[0]).is_constant();
  if (stored) return {"what it reads is stored in the model", false};
  if (!row_for(plan, step)) {
    return {"there is no OpenCL program for " + std::string(plan.program.ops[step.ops[0]].kind()) +
                " here",
            false};
  }
  const auto* form = std::get_if<plan::ConvolutionForm>(&step.form);
  const auto measured = form ? ways.find(way_key(*form, step.layer->samples)) : ways.end();
  if (measured != ways.end() && measured->second == "cpu")
    return {"'pdrt tune' found the CPU faster", true};
  return {};
}

std::unique_ptr<DeviceStep> make_step(Builder& builder, std::size_t step, bool changing) {
  return row_for(builder.plan, builder.plan.steps[step])->make(builder, step, changing);
}

}  // namespace pdrt::run::device
