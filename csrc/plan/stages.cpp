// Element-wise nodes as epilogue stages.

#include <cmath>
#include <limits>

#include "plan/geometry.h"
#include "plan/recognise.h"

namespace pdrt::plan {
namespace {

// A stored float32 scalar, or the fallback where the input is absent; nothing where it is neither.
std::optional<float> scalar(const Program& program, const Op& op, std::size_t index,
                            float fallback) {
  if (index >= op.inputs.size() || op.inputs[index] == kAbsent) return fallback;
  const Value& value = program.values[op.inputs[index]];
  if (!value.is_constant() || value.dtype != DType::f32 || count_of(value.shape) != 1)
    return std::nullopt;
  return *value.constant.as<float>();
}

std::optional<ChainStage> unary(const Program& program, const Op& op) {
  ChainStage stage;
  const Attributes& attributes = op.node->attributes;
  const std::string_view kind = op.kind();
  if (kind == "Relu") {
    stage.stage = Stage::relu;
  } else if (kind == "LeakyRelu") {
    stage.stage = Stage::leaky_relu;
    stage.a = static_cast<float>(attributes.real("alpha"));
  } else if (kind == "Clip") {
    const float most =
        std::numeric_limits<float>::max();  // as ONNX has it, so that Inf is clipped, too
    const auto low = scalar(program, op, 1, -most), high = scalar(program, op, 2, most);
    if (!low || !high) return std::nullopt;
    stage.stage = Stage::clip;
    stage.a = *low;
    stage.b = *high;
  } else if (kind == "Sigmoid") {
    stage.stage = Stage::sigmoid;
  } else if (kind == "HardSigmoid") {
    stage.stage = Stage::hard_sigmoid;
    stage.a = static_cast<float>(attributes.real("alpha"));
    stage.b = static_cast<float>(attributes.real("beta"));
  } else if (kind == "HardSwish") {
    stage.stage = Stage::hard_swish;
  } else if (kind == "Tanh") {
    stage.stage = Stage::tanh;
  } else if (kind == "Abs") {
    stage.stage = Stage::absolute;
  } else if (kind == "Neg") {
    stage.stage = Stage::negate;
  } else if (kind == "Exp") {
    stage.stage = Stage::exponential;
  } else if (kind == "Sqrt") {
    stage.stage = Stage::square_root;
  } else {
    return std::nullopt;
  }
  return stage;
}

std::optional<ChainStage> batch_normalisation(const Program& program, const Op& op,
                                              std::deque<Tensor>& packed) {
  for (int i = 1; i < 5; ++i) {
    const Value& value = program.values[op.inputs[i]];
    if (!value.is_constant() || value.dtype != DType::f32) return std::nullopt;
  }
  auto parameter = [&](int i, std::int64_t k) {
    return double{program.values[op.inputs[i]].constant.as<float>()[k]};
  };
  const double epsilon = op.node->attributes.real("epsilon");
  const std::int64_t channels = count_of(program.values[op.inputs[1]].shape);
  Tensor& folded = packed.emplace_back(DType::f32, Shape{2, channels});
  float* scale = folded.as<float>();
  float* shift = scale + channels;
  for (std::int64_t k = 0; k < channels; ++k) {
    const double gamma = parameter(1, k) / std::sqrt(parameter(4, k) + epsilon);
    scale[k] = static_cast<float>(gamma);
    shift[k] = static_cast<float>(parameter(2, k) - gamma * parameter(3, k));
  }
  ChainStage stage;
  stage.stage = Stage::affine;
  stage.operand = Operand::channel;
  stage.data = scale;
  stage.data2 = shift;
  stage.channel_stride = 1;
  return stage;
}

// Which stage a binary operator is when the chain's value is its left or its right side.
std::optional<Stage> binary(std::string_view kind, bool main_is_left) {
  if (kind == "Add") return Stage::add;
  if (kind == "Sub") return main_is_left ? Stage::subtract : Stage::reverse_subtract;
  if (kind == "Mul") return Stage::multiply;
  if (kind == "Div") return main_is_left ? Stage::divide : Stage::reverse_divide;
  if (kind == "Min") return Stage::minimum;
  if (kind == "Max") return Stage::maximum;
  if (kind == "PRelu" && main_is_left) return Stage::prelu;
  if (kind == "Greater") return main_is_left ? Stage::greater : Stage::less;
  if (kind == "GreaterOrEqual")
    return main_is_left ? Stage::greater_or_equal : Stage::less_or_equal;
  if (kind == "Less") return main_is_left ? Stage::less : Stage::greater;
  if (kind == "LessOrEqual") return main_is_left ? Stage::less_or_equal : Stage::greater_or_equal;
  return std::nullopt;
}

// How the operand lies beside a result of `out` channels and pixels; false where the engine has no
// way to read it.
bool place_operand(const Program& program, ValueId id, const Shape& result,
                   const std::vector<bool>& planes, ChainStage& stage) {
  const Value& value = program.values[id];
  if (value.dtype != DType::f32 || value.shape.size() > result.size()) return false;
  const Extent e = extent_of(at_rank(value.shape, result.size())), out = extent_of(result);
  stage.value = value.is_constant() ? kAbsent : id;
  if (e.pixels() == 1 && !planes[id]) {
    if (value.is_constant() && !value.constant.contiguous()) return false;
    stage.operand = Operand::channel;
    stage.data = value.is_constant() ? value.constant.as<float>() : nullptr;
    stage.channel_stride = e.channels == 1 ? 0 : 1;
    stage.sample_stride = e.samples == 1 ? 0 : e.channels;
    bool can_be_zero = !value.is_constant();
    for (std::int64_t i = 0; !can_be_zero && i < value.constant.count(); ++i)
      can_be_zero = stage.data[i] == 0.0f;
    stage.is_switch = stage.stage == Stage::multiply && can_be_zero;
    return true;
  }
  if (!planes[id] || value.shape.size() != result.size()) return false;
  const bool same_map = e.height == out.height && e.width == out.width &&
                        (e.channels == out.channels || e.channels == 1);
  stage.operand = Operand::plane;
  return same_map && (e.samples == out.samples || e.samples == 1);
}

}  // namespace

std::optional<ChainStage> stage_of(const Program& program, const Op& op, ValueId main,
                                   const std::vector<bool>& planes, std::deque<Tensor>& packed) {
  const Shape& result = program.values[op.outputs[0]].shape;
  if (program.values[main].shape != result || program.values[main].dtype != DType::f32 ||
      op.outputs.size() != 1)
    return std::nullopt;
  if (op.kind() == "BatchNormalization") {
    return op.inputs[0] == main ? batch_normalisation(program, op, packed) : std::nullopt;
  }
  if (op.inputs[0] == main) {
    if (auto stage = unary(program, op)) return stage;
  }
  const int sigmoid = silu_partner(program, op);
  if (sigmoid >= 0 && program.ops[sigmoid].inputs[0] == main) {
    ChainStage stage;
    stage.stage = Stage::silu;
    return stage;
  }
  if (op.inputs.size() != 2) return std::nullopt;
  const bool left = op.inputs[0] == main;
  const auto kind = binary(op.kind(), left);
  if (!kind) return std::nullopt;
  if (program.values[op.outputs[0]].dtype == DType::boolean && cast_partner(program, op) < 0)
    return std::nullopt;
  ChainStage stage;
  stage.stage = *kind;
  if (!place_operand(program, op.inputs[left ? 1 : 0], result, planes, stage)) return std::nullopt;
  return stage;
}

}  // namespace pdrt::plan
