// The operator table. One row: name, inputs (least, most; -1 is any number), outputs (least, most),
// attributes with what they are when absent, inference, evaluation. Names and meanings are ONNX's;
// docs/operators.md lists the differences.
#include "model/operators.h"

#include <algorithm>
#include <limits>

#include "reference/reference.h"

namespace pdrt {
namespace {

using namespace reference;  // NOLINT: the rows below are nothing but its names
using Specs = std::vector<AttributeSpec>;

AttributeSpec integer(std::string_view name, std::int64_t fallback) {
  return {name, AttributeType::integer, fallback};
}
// ONNX's defaults are single precision, and stay what they are when widened.
AttributeSpec real(std::string_view name, float fallback) {
  return {name, AttributeType::real, static_cast<double>(fallback)};
}
AttributeSpec text(std::string_view name, const char* fallback) {
  return {name, AttributeType::text, std::string(fallback)};
}
// Empty stands for "not given".
AttributeSpec integers(std::string_view name) {
  return {name, AttributeType::integers, std::vector<std::int64_t>{}};
}
AttributeSpec required(AttributeSpec spec) {
  spec.required = true;
  return spec;
}

Specs window(Specs more) {
  more.insert(more.end(), {text("auto_pad", "NOTSET"), integers("dilations"), integers("pads"),
                           integers("strides")});
  return more;
}
Specs pool(Specs more) {
  more.insert(more.end(), {integer("ceil_mode", 0), required(integers("kernel_shape"))});
  return window(std::move(more));
}
Specs reduction() { return {integer("keepdims", 1), integer("noop_with_empty_axes", 0)}; }
Specs arg() {
  return {integer("axis", 0), integer("keepdims", 1), integer("select_last_index", 0)};
}
Specs axis(std::int64_t fallback) { return {integer("axis", fallback)}; }

// clang-format off
std::vector<Operator> table() {
  constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();
  return {
    {"Abs", 1, 1, 1, 1, {}, infer_unary_number, evaluate_abs},
    {"Add", 2, 2, 1, 1, {}, infer_binary_number, evaluate_add},
    {"And", 2, 2, 1, 1, {}, infer_logic, evaluate_and},
    {"ArgMax", 1, 1, 1, 1, arg(), infer_arg, evaluate_arg_max},
    {"ArgMin", 1, 1, 1, 1, arg(), infer_arg, evaluate_arg_min},
    {"AveragePool", 1, 1, 1, 1, pool({integer("count_include_pad", 0)}), infer_average_pool, evaluate_average_pool},
    {"BatchNormalization", 5, 5, 1, 1, {real("epsilon", 1e-5F), real("momentum", 0.9F), integer("training_mode", 0)},
     infer_batch_normalization, evaluate_batch_normalization},
    {"Cast", 1, 1, 1, 1, {text("round_mode", "up"), integer("saturate", 1), required(integer("to", 0))},
     infer_cast, evaluate_cast},
    {"Ceil", 1, 1, 1, 1, {}, infer_unary_real, evaluate_ceil},
    {"Clip", 1, 3, 1, 1, {}, infer_clip, evaluate_clip},
    {"Concat", 1, -1, 1, 1, {required(integer("axis", 0))}, infer_concat, evaluate_concat},
    {"ConstantOfShape", 1, 2, 1, 1, {}, infer_constant_of_shape, evaluate_constant_of_shape},
    {"Conv", 2, 3, 1, 1, window({integer("group", 1), integers("kernel_shape")}), infer_conv, evaluate_conv},
    {"CumSum", 2, 2, 1, 1, {integer("exclusive", 0), integer("reverse", 0)}, infer_cum_sum, evaluate_cum_sum},
    {"Div", 2, 2, 1, 1, {}, infer_binary_number, evaluate_div},
    {"Dropout", 1, 3, 1, 1, {integer("seed", 0)}, infer_dropout, evaluate_same_elements},
    {"Elu", 1, 1, 1, 1, {real("alpha", 1.0F)}, infer_unary_real, evaluate_elu},
    {"Equal", 2, 2, 1, 1, {}, infer_equal, evaluate_equal},
    {"Erf", 1, 1, 1, 1, {}, infer_unary_real, evaluate_erf},
    {"Exp", 1, 1, 1, 1, {}, infer_unary_real, evaluate_exp},
    {"Expand", 2, 2, 1, 1, {}, infer_expand, evaluate_expand},
    {"Flatten", 1, 1, 1, 1, axis(1), infer_flatten, evaluate_same_elements},
    {"Floor", 1, 1, 1, 1, {}, infer_unary_real, evaluate_floor},
    {"Gather", 2, 2, 1, 1, axis(0), infer_gather, evaluate_gather},
    {"GatherElements", 2, 2, 1, 1, axis(0), infer_gather_elements, evaluate_gather_elements},
    {"Gelu", 1, 1, 1, 1, {text("approximate", "none")}, infer_gelu, evaluate_gelu},
    {"Gemm", 2, 3, 1, 1, {real("alpha", 1.0F), real("beta", 1.0F), integer("transA", 0), integer("transB", 0)},
     infer_gemm, evaluate_gemm},
    {"GlobalAveragePool", 1, 1, 1, 1, {}, infer_global_pool, evaluate_global_average_pool},
    {"GlobalMaxPool", 1, 1, 1, 1, {}, infer_global_pool, evaluate_global_max_pool},
    {"Greater", 2, 2, 1, 1, {}, infer_compare, evaluate_greater},
    {"GreaterOrEqual", 2, 2, 1, 1, {}, infer_compare, evaluate_greater_or_equal},
    {"HardSigmoid", 1, 1, 1, 1, {real("alpha", 0.2F), real("beta", 0.5F)}, infer_unary_real, evaluate_hard_sigmoid},
    {"HardSwish", 1, 1, 1, 1, {}, infer_unary_real, evaluate_hard_swish},
    {"Identity", 1, 1, 1, 1, {}, infer_identity, evaluate_same_elements},
    {"LRN", 1, 1, 1, 1, {real("alpha", 1e-4F), real("beta", 0.75F), real("bias", 1.0F), required(integer("size", 1))},
     infer_lrn, evaluate_lrn},
    {"LeakyRelu", 1, 1, 1, 1, {real("alpha", 0.01F)}, infer_unary_real, evaluate_leaky_relu},
    {"Less", 2, 2, 1, 1, {}, infer_compare, evaluate_less},
    {"LessOrEqual", 2, 2, 1, 1, {}, infer_compare, evaluate_less_or_equal},
    {"Log", 1, 1, 1, 1, {}, infer_unary_real, evaluate_log},
    {"LogSoftmax", 1, 1, 1, 1, axis(-1), infer_softmax, evaluate_log_softmax},
    {"MatMul", 2, 2, 1, 1, {}, infer_matmul, evaluate_matmul},
    {"Max", 1, -1, 1, 1, {}, infer_variadic, evaluate_max},
    {"MaxPool", 1, 1, 1, 1, pool({integer("storage_order", 0)}), infer_max_pool, evaluate_max_pool},
    {"Min", 1, -1, 1, 1, {}, infer_variadic, evaluate_min},
    {"Mod", 2, 2, 1, 1, {integer("fmod", 0)}, infer_binary_number, evaluate_mod},
    {"Mul", 2, 2, 1, 1, {}, infer_binary_number, evaluate_mul},
    {"Neg", 1, 1, 1, 1, {}, infer_unary_signed, evaluate_neg},
    {"Not", 1, 1, 1, 1, {}, infer_not, evaluate_not},
    {"OneHot", 3, 3, 1, 1, axis(-1), infer_one_hot, evaluate_one_hot},
    {"Or", 2, 2, 1, 1, {}, infer_logic, evaluate_or},
    {"PRelu", 2, 2, 1, 1, {}, infer_prelu, evaluate_prelu},
    {"Pad", 2, 4, 1, 1, {text("mode", "constant")}, infer_pad, evaluate_pad},
    {"Pow", 2, 2, 1, 1, {}, infer_pow, evaluate_pow},
    {"Range", 3, 3, 1, 1, {integer("stash_type", 1)}, infer_range, evaluate_range},
    {"Reciprocal", 1, 1, 1, 1, {}, infer_unary_real, evaluate_reciprocal},
    {"ReduceL1", 1, 2, 1, 1, reduction(), infer_reduce_number, evaluate_reduce_l1},
    {"ReduceL2", 1, 2, 1, 1, reduction(), infer_reduce_number, evaluate_reduce_l2},
    {"ReduceMax", 1, 2, 1, 1, reduction(), infer_reduce_order, evaluate_reduce_max},
    {"ReduceMean", 1, 2, 1, 1, reduction(), infer_reduce_mean, evaluate_reduce_mean},
    {"ReduceMin", 1, 2, 1, 1, reduction(), infer_reduce_order, evaluate_reduce_min},
    {"ReduceProd", 1, 2, 1, 1, reduction(), infer_reduce_number, evaluate_reduce_prod},
    {"ReduceSum", 1, 2, 1, 1, reduction(), infer_reduce_number, evaluate_reduce_sum},
    {"Relu", 1, 1, 1, 1, {}, infer_unary_signed, evaluate_relu},
    {"Reshape", 2, 2, 1, 1, {integer("allowzero", 0)}, infer_reshape, evaluate_same_elements},
    {"Round", 1, 1, 1, 1, {}, infer_unary_real, evaluate_round},
    {"ScatterElements", 3, 3, 1, 1, {integer("axis", 0), text("reduction", "none")},
     infer_scatter_elements, evaluate_scatter_elements},
    {"Selu", 1, 1, 1, 1, {real("alpha", 1.67326319217681884765625F), real("gamma", 1.05070102214813232421875F)},
     infer_unary_real, evaluate_selu},
    {"Shape", 1, 1, 1, 1, {integer("end", kEnd), integer("start", 0)}, infer_shape, evaluate_shape},
    {"Sigmoid", 1, 1, 1, 1, {}, infer_unary_real, evaluate_sigmoid},
    {"Sign", 1, 1, 1, 1, {}, infer_unary_number, evaluate_sign},
    {"Size", 1, 1, 1, 1, {}, infer_size, evaluate_size},
    {"Slice", 3, 5, 1, 1, {}, infer_slice, evaluate_slice},
    {"Softmax", 1, 1, 1, 1, axis(-1), infer_softmax, evaluate_softmax},
    {"Softplus", 1, 1, 1, 1, {}, infer_unary_real, evaluate_softplus},
    {"Split", 1, 2, 1, -1, {integer("axis", 0), integer("num_outputs", 0)}, infer_split, evaluate_split},
    {"Sqrt", 1, 1, 1, 1, {}, infer_unary_real, evaluate_sqrt},
    {"Squeeze", 1, 2, 1, 1, {}, infer_squeeze, evaluate_same_elements},
    {"Sub", 2, 2, 1, 1, {}, infer_binary_number, evaluate_sub},
    {"Tanh", 1, 1, 1, 1, {}, infer_unary_real, evaluate_tanh},
    {"Tile", 2, 2, 1, 1, {}, infer_tile, evaluate_tile},
    {"TopK", 2, 2, 1, 2, {integer("axis", -1), integer("largest", 1), integer("sorted", 1)},
     infer_top_k, evaluate_top_k},
    {"Transpose", 1, 1, 1, 1, {integers("perm")}, infer_transpose, evaluate_transpose},
    {"Unsqueeze", 2, 2, 1, 1, {}, infer_unsqueeze, evaluate_same_elements},
    {"Where", 3, 3, 1, 1, {}, infer_where, evaluate_where},
    {"Xor", 2, 2, 1, 1, {}, infer_logic, evaluate_xor},
  };
}
// clang-format on

}  // namespace

const std::vector<Operator>& operators() {
  static const std::vector<Operator> all = table();
  return all;
}

const Operator* find_operator(std::string_view name) {
  const std::vector<Operator>& all = operators();
  const auto found =
      std::lower_bound(all.begin(), all.end(), name,
                       [](const Operator& row, std::string_view key) { return row.name < key; });
  return found != all.end() && found->name == name ? &*found : nullptr;
}

}  // namespace pdrt
