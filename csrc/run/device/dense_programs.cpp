#include "run/device/dense_programs.h"

#include <algorithm>
#include <limits>

namespace pdrt::run::device {
namespace {

struct Row {
  std::string_view kind;
  int operands;
  const char* text;  // without spaces, which end an option
};

// Minimum and maximum are NaN where either side is; what is a boolean is 0 or 1.
constexpr Row kExpressions[] = {
    {"Abs", 1, "fabs(a)"},
    {"Add", 2, "a+b"},
    {"And", 2, "a&&b"},
    {"Ceil", 1, "ceil(a)"},
    {"Clip", 1, "a<alpha?min(alpha,beta):(a>beta?beta:a)"},
    {"Div", 2, "a/b"},
    {"Equal", 2, "a==b"},
    {"Exp", 1, "exp(a)"},
    {"Floor", 1, "floor(a)"},
    {"Greater", 2, "a>b"},
    {"GreaterOrEqual", 2, "a>=b"},
    {"HardSigmoid", 1, "a*alpha+beta<0.0f?0.0f:(a*alpha+beta>1.0f?1.0f:a*alpha+beta)"},
    {"HardSwish", 1, "a*clamp(a/6.0f+0.5f,0.0f,1.0f)"},
    {"LeakyRelu", 1, "a<0.0f?a*alpha:a"},
    {"Less", 2, "a<b"},
    {"LessOrEqual", 2, "a<=b"},
    {"Log", 1, "log(a)"},
    {"Max", 2, "a>b||a!=a?a:b"},
    {"Min", 2, "a<b||a!=a?a:b"},
    {"Mul", 2, "a*b"},
    {"Neg", 1, "-a"},
    {"Not", 1, "!a"},
    {"Or", 2, "a||b"},
    {"PRelu", 2, "a<0.0f?a*b:a"},
    {"Reciprocal", 1, "1.0f/a"},
    {"Relu", 1, "a<0.0f?0.0f:a"},
    {"Round", 1, "rint(a)"},
    {"Sigmoid", 1, "1.0f/(1.0f+exp(-a))"},
    {"Sqrt", 1, "sqrt(a)"},
    {"Sub", 2, "a-b"},
    {"Tanh", 1, "tanh(a)"},
    {"Where", 3, "a?b:c"},
    {"Xor", 2, "a!=b"},
};

std::string_view kind_of(const plan::Plan& plan, const plan::Step& step) {
  return plan.program.ops[step.ops[0]].kind();
}

const Attributes& attributes_of(const plan::Plan& plan, const plan::Step& step) {
  return plan.program.ops[step.ops[0]].node->attributes;
}

bool is_number_or_truth(DType dtype) { return dtype == DType::f32 || dtype == DType::boolean; }

// Dense numbers or truths in memory of their own, or stored ones one after the other.
bool can_read(const plan::Plan& plan, ValueId id) {
  if (id == kAbsent || plan.planes[id]) return false;
  const plan::Value& value = plan.value(id);
  return is_number_or_truth(value.dtype) && value.shape.size() <= 6 &&
         (!value.is_constant() || (value.dtype == DType::f32 && value.constant.contiguous()));
}

bool on_dense(const plan::Plan& plan, const plan::Step& step) {
  if (!std::holds_alternative<plan::ReferenceForm>(step.form) || step.outputs.size() != 1)
    return false;
  const plan::Value& output = plan.value(step.outputs[0]);
  return !plan.planes[step.outputs[0]] && is_number_or_truth(output.dtype) &&
         output.shape.size() <= 6 && count_of(output.shape) > 0;
}

bool is_dense_number(const plan::Plan& plan, ValueId id) {
  return can_read(plan, id) && !plan.value(id).is_constant() && plan.value(id).dtype == DType::f32;
}

Axes axes_around(const Shape& shape, std::size_t first, std::size_t last) {
  Axes axes;
  for (std::size_t i = 0; i < shape.size(); ++i)
    (i < first ? axes.outer : i < last ? axes.length : axes.inner) *= shape[i];
  return axes;
}

// A stored scalar, or the fallback where there is none; nothing where it is computed.
std::optional<float> stored_scalar(const plan::Plan& plan, const plan::Step& step,
                                   std::size_t input, float fallback) {
  if (input >= step.inputs.size() || step.inputs[input] == kAbsent) return fallback;
  const plan::Value& value = plan.value(step.inputs[input]);
  if (!value.is_constant() || value.dtype != DType::f32 || count_of(value.shape) != 1)
    return std::nullopt;
  return *value.constant.as<float>();
}

}  // namespace

std::optional<Expression> expression_of(const plan::Plan& plan, const plan::Step& step) {
  if (!on_dense(plan, step)) return std::nullopt;
  const std::string_view kind = kind_of(plan, step);
  Expression expression;
  if (kind == "Cast") {
    expression.text = plan.value(step.outputs[0]).dtype == DType::boolean ? "a!=0" : "a";
  } else {
    const auto* row = std::find_if(std::begin(kExpressions), std::end(kExpressions),
                                   [&](const Row& one) { return one.kind == kind; });
    if (row == std::end(kExpressions)) return std::nullopt;
    expression.text = row->text;
    expression.operands = row->operands;
  }
  const Attributes& attributes = attributes_of(plan, step);
  if (kind == "Clip") {
    const float most = std::numeric_limits<float>::max();
    const auto low = stored_scalar(plan, step, 1, -most), high = stored_scalar(plan, step, 2, most);
    if (!low || !high) return std::nullopt;
    expression.alpha = *low;
    expression.beta = *high;
  } else if (kind == "HardSigmoid") {
    expression.alpha = static_cast<float>(attributes.real("alpha"));
    expression.beta = static_cast<float>(attributes.real("beta"));
  } else if (kind == "LeakyRelu") {
    expression.alpha = static_cast<float>(attributes.real("alpha"));
  }
  const auto given = static_cast<int>(step.inputs.size());
  if (kind != "Clip" && given != expression.operands) return std::nullopt;
  for (int i = 0; i < expression.operands; ++i) {
    if (!can_read(plan, step.inputs[i])) return std::nullopt;
  }
  return expression;
}

std::optional<Reduction> reduction_of(const plan::Plan& plan, const plan::Step& step) {
  constexpr std::string_view kKinds[] = {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin"};
  const auto* kind = std::find(std::begin(kKinds), std::end(kKinds), kind_of(plan, step));
  if (kind == std::end(kKinds) || !on_dense(plan, step) || !is_dense_number(plan, step.inputs[0]))
    return std::nullopt;
  const Shape& shape = plan.value(step.inputs[0]).shape;
  const std::size_t rank = shape.size();
  std::vector<bool> reduced(rank, true);
  if (step.inputs.size() > 1 && step.inputs[1] != kAbsent) {
    if (!plan.value(step.inputs[1]).is_constant()) return std::nullopt;
    const Tensor listed = Tensor::copy_of(plan.value(step.inputs[1]).constant);
    if (listed.count() > 0) reduced.assign(rank, false);
    for (std::int64_t i = 0; i < listed.count(); ++i) {
      const std::int64_t axis = listed.as<std::int64_t>()[i];
      reduced[axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis] = true;
    }
    if (listed.count() == 0 && attributes_of(plan, step).integer("noop_with_empty_axes") != 0)
      return std::nullopt;
  } else if (attributes_of(plan, step).integer("noop_with_empty_axes") != 0) {
    return std::nullopt;
  }
  const auto first = std::find(reduced.begin(), reduced.end(), true);
  const auto last = std::find(first, reduced.end(), false);
  if (std::find(last, reduced.end(), true) != reduced.end()) return std::nullopt;  // apart
  Reduction reduction;
  reduction.operation = static_cast<int>(kind - std::begin(kKinds));
  reduction.axes = axes_around(shape, first - reduced.begin(), last - reduced.begin());
  return reduction;
}

std::optional<SoftmaxOf> softmax_of(const plan::Plan& plan, const plan::Step& step) {
  const std::string_view kind = kind_of(plan, step);
  if ((kind != "Softmax" && kind != "LogSoftmax") || !on_dense(plan, step) ||
      !is_dense_number(plan, step.inputs[0]))
    return std::nullopt;
  const Shape& shape = plan.value(step.inputs[0]).shape;
  const std::int64_t axis = attributes_of(plan, step).integer("axis");
  const auto at =
      static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(shape.size()) : axis);
  return SoftmaxOf{axes_around(shape, at, at + 1), kind == "LogSoftmax"};
}

}  // namespace pdrt::run::device
