#include "plan/recognise.h"

#include <algorithm>

#include "plan/geometry.h"

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

// A per-axis attribute (strides, dilations) for two axes; one-dimensional windows get the neutral
// value for the first.
struct Pair {
  int h = 1, w = 1;
};

Pair pair_of(const std::vector<std::int64_t>& list, int neutral) {
  Pair pair{neutral, neutral};
  if (!list.empty()) pair.w = static_cast<int>(list.back());
  if (list.size() == 2) pair.h = static_cast<int>(list[0]);
  return pair;
}

struct Pads {
  int top = 0, left = 0, bottom = 0, right = 0;
};

// SAME_UPPER and SAME_LOWER leave the odd pixel at the end and at the beginning.
int same_pad(int in, int out, int filter, int stride, int dilation, bool lower) {
  const int total = std::max(0, (out - 1) * stride + (filter - 1) * dilation + 1 - in);
  return lower ? total - total / 2 : total / 2;
}

Pads pads_of(const Attributes& attributes, const Extent& in, const Extent& out, Pair filter,
             Pair stride, Pair dilation) {
  const std::string& rule = attributes.text("auto_pad");
  const auto& list = attributes.integers("pads");
  Pads pads;
  if (rule == "SAME_UPPER" || rule == "SAME_LOWER") {
    const bool lower = rule == "SAME_LOWER";
    pads.top = same_pad(in.height, out.height, filter.h, stride.h, dilation.h, lower);
    pads.left = same_pad(in.width, out.width, filter.w, stride.w, dilation.w, lower);
    pads.bottom = same_pad(in.height, out.height, filter.h, stride.h, dilation.h, !lower);
    pads.right = same_pad(in.width, out.width, filter.w, stride.w, dilation.w, !lower);
  } else if (rule != "VALID" && list.size() == 2) {
    pads.left = list[0];
    pads.right = list[1];
  } else if (rule != "VALID" && list.size() == 4) {
    pads = {static_cast<int>(list[0]), static_cast<int>(list[1]), static_cast<int>(list[2]),
            static_cast<int>(list[3])};
  }
  return pads;
}

Recognised reference(std::string form, std::string why) {
  return {ReferenceForm{}, {std::move(form) + ": " + std::move(why)}};
}

Recognised convolution(const Program& program, const Op& op, const std::vector<bool>& planes) {
  const Value& x = program.values[op.inputs[0]];
  const Value& y = program.values[op.outputs[0]];
  if (!is_float_constant(program, op, 1))
    return reference("planes.convolution", "the weights are not stored float32");
  if (!is_absent(op, 2) && !is_float_constant(program, op, 2))
    return reference("planes.convolution", "the bias is not stored float32");
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
    return reference("planes.convolution",
                     "its " + std::string(planes[op.inputs[0]] ? "output " : "input ") +
                         to_string(planes[op.inputs[0]] ? y.shape : x.shape) +
                         " does not live as float32 planes (one or two spatial axes)");
  }
  const Attributes& attributes = op.node->attributes;
  const Pair stride = pair_of(attributes.integers("strides"), 1),
             dilation = pair_of(attributes.integers("dilations"), 1);
  const Pair filter = pair_of(Shape(filter_shape.begin() + 2, filter_shape.end()), 1);
  const Pads pads = pads_of(attributes, in, out, filter, stride, dilation);
  ConvolutionForm form;
  form.kernels = out.channels;
  form.channels = in.channels;
  form.groups = attributes.integer("group");
  form.filter_h = filter.h;
  form.filter_w = filter.w;
  form.stride_h = stride.h;
  form.stride_w = stride.w;
  form.dilation_h = dilation.h;
  form.dilation_w = dilation.w;
  form.pad_top = pads.top;
  form.pad_left = pads.left;
  form.in_h = in.height;
  form.in_w = in.width;
  form.out_h = out.height;
  form.out_w = out.width;
  form.weights = weights;
  form.bias = bias;
  return {form, {}};
}

const float* transposed(const float* matrix, std::int64_t rows, std::int64_t columns,
                        std::deque<Tensor>& packed) {
  Tensor& out = packed.emplace_back(DType::f32, Shape{columns, rows});
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c)
      out.as<float>()[c * rows + r] = matrix[r * columns + c];
  }
  return out.as<float>();
}

Recognised fully_connected(const Program& program, const Op& op, std::deque<Tensor>& packed) {
  const Value& x = program.values[op.inputs[0]];
  if (x.dtype != DType::f32 || x.shape.size() != 2)
    return reference("fully_connected", "the left side is not a float32 matrix");
  if (!is_float_constant(program, op, 1) || program.values[op.inputs[1]].shape.size() != 2) {
    return reference("fully_connected", "the right side is not a stored float32 matrix");
  }
  bool stored_by_kernel = false;
  FullyConnectedForm form;
  const Shape& shape = program.values[op.inputs[1]].shape;
  if (op.kind() == "Gemm") {
    const Attributes& attributes = op.node->attributes;
    if (attributes.integer("transA") != 0) return reference("fully_connected", "transA is set");
    if (attributes.real("alpha") != 1.0 || attributes.real("beta") != 1.0)
      return reference("fully_connected", "alpha or beta is not 1");
    stored_by_kernel = attributes.integer("transB") != 0;
    if (!is_absent(op, 2)) {
      const std::int64_t kernels = shape[stored_by_kernel ? 0 : 1];
      const bool a_row = is_float_constant(program, op, 2) &&
                         count_of(program.values[op.inputs[2]].shape) == kernels &&
                         program.values[op.inputs[2]].shape.back() == kernels;
      if (!a_row)
        return reference("fully_connected", "the bias is not one stored float32 per kernel");
      form.bias = program.values[op.inputs[2]].constant.as<float>();
    }
  }
  const float* weights = program.values[op.inputs[1]].constant.as<float>();
  form.kernels = shape[stored_by_kernel ? 0 : 1];
  form.columns = shape[stored_by_kernel ? 1 : 0];
  form.weights =
      stored_by_kernel ? weights : transposed(weights, form.columns, form.kernels, packed);
  return {form, {}};
}

Recognised pool(const Program& program, const Op& op, const std::vector<bool>& planes) {
  if (!planes[op.inputs[0]] || !planes[op.outputs[0]])
    return reference("planes.pool", "its input or output does not live as planes");
  if (op.outputs.size() > 1 && op.outputs[1] != kAbsent)
    return reference("planes.pool", "the indices output is used");
  const Attributes& attributes = op.node->attributes;
  const Extent in = extent_of(program.values[op.inputs[0]].shape),
               out = extent_of(program.values[op.outputs[0]].shape);
  const Pair filter = pair_of(attributes.integers("kernel_shape"), 1),
             stride = pair_of(attributes.integers("strides"), 1);
  const Pair dilation = pair_of(attributes.integers("dilations"), 1);
  const Pads pads = pads_of(attributes, in, out, filter, stride, dilation);
  PoolForm form;
  form.channels = in.channels;
  form.pool.maximum = op.kind() == "MaxPool";
  form.pool.count_include_pad = !form.pool.maximum && attributes.integer("count_include_pad") != 0;
  form.pool.kernel_h = filter.h;
  form.pool.kernel_w = filter.w;
  form.pool.stride_h = stride.h;
  form.pool.stride_w = stride.w;
  form.pool.dilation_h = dilation.h;
  form.pool.dilation_w = dilation.w;
  form.pool.pad_top = pads.top;
  form.pool.pad_left = pads.left;
  form.pool.pad_bottom = pads.bottom;
  form.pool.pad_right = pads.right;
  return {form, {}};
}

// Dense arrays whose elements keep their order: only the shape changes.
bool is_view(const Op& op) {
  return op.kind() == "Reshape" || op.kind() == "Flatten" || op.kind() == "Squeeze" ||
         op.kind() == "Unsqueeze";
}

}  // namespace

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

Recognised recognise(const Program& program, const Op& op, const std::vector<bool>& planes,
                     std::deque<Tensor>& packed) {
  const std::string_view kind = op.kind();
  if (op.outputs[0] == kAbsent) return {ReferenceForm{}, {}};  // only a later output is used
  if (is_view(op)) {
    if (!planes[op.inputs[0]] && !planes[op.outputs[0]] &&
        !program.values[op.inputs[0]].is_constant())
      return {ViewForm{}, {}};
    return reference("view", "one side lives as padded planes, so the elements must be copied");
  }
  if (kind == "Conv") return convolution(program, op, planes);
  if (kind == "Gemm" || kind == "MatMul") return fully_connected(program, op, packed);
  if (is_global_pool(program, op) && planes[op.inputs[0]]) {
    GlobalPoolForm form;
    form.maximum = kind == "GlobalMaxPool" || kind == "ReduceMax";
    form.channels = extent_of(program.values[op.inputs[0]].shape).channels;
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
    return reference("planes.elementwise", "no stage for this operator with these operands");
  }
  return {ReferenceForm{}, {}};
}

}  // namespace pdrt::plan
