#include "plan/recognise.h"

#include <algorithm>

#include "plan/geometry.h"
#include "reference/window.h"

namespace pdrt::plan {
namespace {

bool is_float_constant(const Program& program, const Op& op, std::size_t index) {
  if (index >= op.inputs.size() || op.inputs[index] == kAbsent) return false;
  const Value& value = program.values[op.inputs[index]];
  return value.is_constant() && value.dtype == DType::f32 && value.constant.contiguous();
}

bool is_absent(const Op& op, std::size_t index) {
  return index >= op.inputs.size() || op.inputs[index] == kAbsent;
}

// The plane engine counts in 32 bits; windows that reach, stride or pad further than this, and maps
// longer than that, are left to the reference, which counts in 64.
constexpr std::int64_t kMaxReach = std::int64_t{1} << 20, kMaxLength = std::int64_t{1} << 28;

bool is_ordinary(const reference::WindowAxis& axis) {
  return axis.kernel * axis.dilation <= kMaxReach && axis.stride <= kMaxReach &&
         axis.pad_begin <= kMaxReach && axis.pad_end <= kMaxReach && axis.input <= kMaxLength &&
         axis.output <= kMaxLength;
}

bool is_ordinary(const reference::Window& window) {
  return is_ordinary(window.height) && is_ordinary(window.width);
}

const char* const kFarWindow =
    "its window reaches, strides or pads more than 2^20 pixels, or its map is longer than 2^28";

Recognised as_reference(std::string form, std::string why) {
  return {ReferenceForm{}, {std::move(form) + ": " + std::move(why)}};
}

Recognised convolution(const Program& program, const Op& op, const std::vector<bool>& planes) {
  const Value& x = program.values[op.inputs[0]];
  const Value& y = program.values[op.outputs[0]];
  if (!is_float_constant(program, op, 1))
    return as_reference("planes.convolution", "the weights are not stored float32");
  if (!is_absent(op, 2) && !is_float_constant(program, op, 2))
    return as_reference("planes.convolution", "the bias is not stored float32");
  const float* weights = program.values[op.inputs[1]].constant.as<float>();
  const float* bias =
      is_absent(op, 2) ? nullptr : program.values[op.inputs[2]].constant.as<float>();
  const Shape& filter_shape = program.values[op.inputs[1]].shape;
  const Extent in = extent_of(x.shape), out = extent_of(y.shape);
  if (!planes[op.inputs[0]] && !planes[op.outputs[0]] && in.pixels() == 1 && out.pixels() == 1 &&
      op.node->attributes.integer("group") == 1 &&
      count_of(filter_shape) == out.channels * in.channels) {
    FullyConnectedForm form;
    form.kernels = out.channels;
    form.columns = in.channels;
    form.weights = weights;
    form.bias = bias;
    return {form, {}};
  }
  if (!planes[op.inputs[0]] || !planes[op.outputs[0]]) {
    return as_reference("planes.convolution",
                        "its " + std::string(planes[op.inputs[0]] ? "output " : "input ") +
                            to_string(planes[op.inputs[0]] ? y.shape : x.shape) +
                            " does not live as float32 planes (one or two spatial axes)");
  }
  const reference::Window window = reference::window_of(
      op.node->attributes, x.shape, Shape(filter_shape.begin() + 2, filter_shape.end()),
      reference::WindowUse::convolution);
  if (!is_ordinary(window)) return as_reference("planes.convolution", kFarWindow);
  ConvolutionForm form;
  form.kernels = out.channels;
  form.channels = in.channels;
  form.groups = op.node->attributes.integer("group");
  form.filter_h = static_cast<int>(window.height.kernel);
  form.filter_w = static_cast<int>(window.width.kernel);
  form.stride_h = static_cast<int>(window.height.stride);
  form.stride_w = static_cast<int>(window.width.stride);
  form.dilation_h = static_cast<int>(window.height.dilation);
  form.dilation_w = static_cast<int>(window.width.dilation);
  form.pad_top = static_cast<int>(window.height.pad_begin);
  form.pad_left = static_cast<int>(window.width.pad_begin);
  form.in_h = static_cast<int>(in.height);
  form.in_w = static_cast<int>(in.width);
  form.out_h = static_cast<int>(out.height);
  form.out_w = static_cast<int>(out.width);
  form.weights = weights;
  form.bias = bias;
  return {form, {}};
}

Recognised fully_connected(const Program& program, const Op& op) {
  const Value& x = program.values[op.inputs[0]];
  if (x.dtype != DType::f32 || x.shape.size() != 2)
    return as_reference("fully_connected", "the left side is not a float32 matrix");
  if (!is_float_constant(program, op, 1) || program.values[op.inputs[1]].shape.size() != 2) {
    return as_reference("fully_connected", "the right side is not a stored float32 matrix");
  }
  bool stored_by_kernel = false;
  FullyConnectedForm form;
  const Shape& shape = program.values[op.inputs[1]].shape;
  if (op.kind() == "Gemm") {
    const Attributes& attributes = op.node->attributes;
    if (attributes.integer("transA") != 0) return as_reference("fully_connected", "transA is set");
    if (attributes.real("alpha") != 1.0 || attributes.real("beta") != 1.0)
      return as_reference("fully_connected", "alpha or beta is not 1");
    stored_by_kernel = attributes.integer("transB") != 0;
    if (!is_absent(op, 2)) {
      const std::int64_t kernels = shape[stored_by_kernel ? 0 : 1];
      const Shape& bias = program.values[op.inputs[2]].shape;
      const bool a_row = is_float_constant(program, op, 2) && count_of(bias) == kernels &&
                         (bias.empty() || bias.back() == kernels);
      if (!a_row)
        return as_reference("fully_connected", "the bias is not one stored float32 per kernel");
      form.bias = program.values[op.inputs[2]].constant.as<float>();
    }
  }
  const float* weights = program.values[op.inputs[1]].constant.as<float>();
  form.kernels = shape[stored_by_kernel ? 0 : 1];
  form.columns = shape[stored_by_kernel ? 1 : 0];
  (stored_by_kernel ? form.weights : form.by_input) = weights;
  return {form, {}};
}

Recognised pool(const Program& program, const Op& op, const std::vector<bool>& planes) {
  if (!planes[op.inputs[0]] || !planes[op.outputs[0]])
    return as_reference("planes.pool", "its input or output does not live as planes");
  if (op.outputs.size() > 1 && op.outputs[1] != kAbsent)
    return as_reference("planes.pool", "the indices output is used");
  const Attributes& attributes = op.node->attributes;
  const reference::Window window =
      reference::window_of(attributes, program.values[op.inputs[0]].shape,
                           attributes.integers("kernel_shape"), reference::WindowUse::pool);
  if (!is_ordinary(window)) return as_reference("planes.pool", kFarWindow);
  Pool pool;
  pool.maximum = op.kind() == "MaxPool";
  pool.count_include_pad = !pool.maximum && attributes.integer("count_include_pad") != 0;
  pool.kernel_h = static_cast<int>(window.height.kernel);
  pool.kernel_w = static_cast<int>(window.width.kernel);
  pool.stride_h = static_cast<int>(window.height.stride);
  pool.stride_w = static_cast<int>(window.width.stride);
  pool.dilation_h = static_cast<int>(window.height.dilation);
  pool.dilation_w = static_cast<int>(window.width.dilation);
  pool.pad_top = static_cast<int>(window.height.pad_begin);
  pool.pad_left = static_cast<int>(window.width.pad_begin);
  pool.pad_bottom = static_cast<int>(window.height.pad_end);
  pool.pad_right = static_cast<int>(window.width.pad_end);
  return {PoolForm{pool}, {}};
}

}  // namespace

bool is_view(const Op& op) {
  return op.kind() == "Reshape" || op.kind() == "Flatten" || op.kind() == "Squeeze" ||
         op.kind() == "Unsqueeze";
}

bool is_pointwise(std::string_view kind) {
  static constexpr std::string_view kKinds[] = {
      "Abs",         "Add",        "And",       "Cast",  "Ceil",        "Div",     "Elu",
      "Equal",       "Erf",        "Exp",       "Floor", "Gelu",        "Greater", "GreaterOrEqual",
      "HardSigmoid", "HardSwish",  "LeakyRelu", "Less",  "LessOrEqual", "Log",     "Max",
      "Min",         "Mod",        "Mul",       "Neg",   "Not",         "Or",      "PRelu",
      "Pow",         "Reciprocal", "Relu",      "Round", "Selu",        "Sigmoid", "Sign",
      "Softplus",    "Sqrt",       "Sub",       "Tanh",  "Where",       "Xor"};
  return std::find(std::begin(kKinds), std::end(kKinds), kind) != std::end(kKinds);
}

bool joins_channels(const Program& program, const Op& op) {
  if (op.kind() != "Concat") return false;
  const auto rank = static_cast<std::int64_t>(program.values[op.outputs[0]].shape.size());
  const std::int64_t axis = op.node->attributes.integer("axis");
  return rank >= 2 && (axis == 1 || axis + rank == 1);
}

int silu_partner(const Program& program, const Op& op) {
  if (op.kind() != "Mul") return -1;
  for (int side = 0; side < 2; ++side) {
    const Value& gate = program.values[op.inputs[side]];
    if (gate.producer < 0 || gate.users.size() != 1 || gate.is_output) continue;
    const Op& sigmoid = program.ops[gate.producer];
    if (sigmoid.kind() == "Sigmoid" && sigmoid.inputs[0] == op.inputs[1 - side])
      return gate.producer;
  }
  return -1;
}

int cast_partner(const Program& program, const Op& op) {
  const Value& said = program.values[op.outputs[0]];
  if (said.dtype != DType::boolean || said.users.size() != 1 || said.is_output) return -1;
  const Op& cast = program.ops[said.users[0]];
  const bool to_float =
      cast.kind() == "Cast" && program.values[cast.outputs[0]].dtype == DType::f32;
  return to_float ? said.users[0] : -1;
}

Recognised recognise(const Program& program, const Op& op, const std::vector<bool>& planes) {
  const std::string_view kind = op.kind();
  if (op.outputs[0] == kAbsent) return {ReferenceForm{}, {}};  // only a later output is used
  if (is_view(op)) {
    if (!planes[op.inputs[0]] && !planes[op.outputs[0]] &&
        !program.values[op.inputs[0]].is_constant())
      return {ViewForm{}, {}};
    return as_reference("view", "one side lives as padded planes, so the elements must be copied");
  }
  if (kind == "Conv") return convolution(program, op, planes);
  if (kind == "Gemm" || kind == "MatMul") return fully_connected(program, op);
  if (is_global_pool(program, op) && planes[op.inputs[0]]) {
    GlobalPoolForm form;
    form.maximum = kind == "GlobalMaxPool" || kind == "ReduceMax";
    return {form, {}};
  }
  if (kind == "MaxPool" || kind == "AveragePool") return pool(program, op, planes);
  if (joins_channels(program, op) && planes[op.outputs[0]] &&
      std::all_of(op.inputs.begin(), op.inputs.end(), [&](ValueId v) { return planes[v]; })) {
    return {ConcatForm{}, {}};
  }
  if (planes[op.outputs[0]] && op.outputs.size() == 1) {
    for (ValueId input : op.inputs) {
      if (input == kAbsent || !planes[input] ||
          program.values[input].shape != program.values[op.outputs[0]].shape)
        continue;
      std::deque<Tensor> discarded;  // the stage itself is made again when the step is
      if (stage_of(program, op, input, planes, discarded)) return {ElementwiseForm{}, {}};
    }
    return as_reference("planes.elementwise", "no stage for this operator with these operands");
  }
  return {ReferenceForm{}, {}};
}

}  // namespace pdrt::plan
