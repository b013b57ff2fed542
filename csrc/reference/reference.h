// Every operator twice: infer_* says what comes out, evaluate_* computes it. Naive and exact, this
// is the specification that the fast implementations are tested against. One source file per idea,
// in the order below.
#pragma once

#include <type_traits>

#include "reference/invocation.h"

namespace pdrt::reference {

using Inference = std::remove_pointer_t<Infer>;
using Evaluation = std::remove_pointer_t<Evaluate>;

// convolution.cpp
Inference infer_conv;
Evaluation evaluate_conv;

// matmul.cpp
Inference infer_matmul;
Evaluation evaluate_matmul;
Inference infer_gemm;
Evaluation evaluate_gemm;

// normalisation.cpp
Inference infer_batch_normalization;
Evaluation evaluate_batch_normalization;
Inference infer_lrn;
Evaluation evaluate_lrn;

// activation.cpp
Evaluation evaluate_relu;
Evaluation evaluate_leaky_relu;
Inference infer_prelu;
Evaluation evaluate_prelu;
Inference infer_clip;
Evaluation evaluate_clip;
Evaluation evaluate_sigmoid;
Evaluation evaluate_hard_sigmoid;
Evaluation evaluate_hard_swish;
Evaluation evaluate_tanh;
Evaluation evaluate_elu;
Evaluation evaluate_selu;
Inference infer_gelu;
Evaluation evaluate_gelu;
Evaluation evaluate_softplus;

// unary.cpp
Inference infer_unary_real;
Inference infer_unary_signed;
Inference infer_unary_number;
Inference infer_not;
Evaluation evaluate_abs;
Evaluation evaluate_neg;
Evaluation evaluate_sign;
Evaluation evaluate_floor;
Evaluation evaluate_ceil;
Evaluation evaluate_round;
Evaluation evaluate_exp;
Evaluation evaluate_log;
Evaluation evaluate_sqrt;
Evaluation evaluate_reciprocal;
Evaluation evaluate_erf;
Evaluation evaluate_not;

// binary.cpp
Inference infer_binary_number;
Inference infer_variadic;
Inference infer_pow;
Evaluation evaluate_add;
Evaluation evaluate_sub;
Evaluation evaluate_mul;
Evaluation evaluate_div;
Evaluation evaluate_mod;
Evaluation evaluate_max;
Evaluation evaluate_min;
Evaluation evaluate_pow;

// compare.cpp
Inference infer_equal;
Inference infer_compare;
Inference infer_logic;
Evaluation evaluate_equal;
Evaluation evaluate_greater;
Evaluation evaluate_greater_or_equal;
Evaluation evaluate_less;
Evaluation evaluate_less_or_equal;
Evaluation evaluate_and;
Evaluation evaluate_or;
Evaluation evaluate_xor;
Inference infer_where;
Evaluation evaluate_where;

// cast.cpp
Inference infer_cast;
Evaluation evaluate_cast;

// pooling.cpp
Inference infer_max_pool;
Evaluation evaluate_max_pool;
Inference infer_average_pool;
Evaluation evaluate_average_pool;

// reduce.cpp
Inference infer_reduce_number;
Inference infer_reduce_order;
Inference infer_reduce_mean;
Evaluation evaluate_reduce_sum;
Evaluation evaluate_reduce_mean;
Evaluation evaluate_reduce_prod;
Evaluation evaluate_reduce_l1;
Evaluation evaluate_reduce_l2;
Evaluation evaluate_reduce_max;
Evaluation evaluate_reduce_min;
Inference infer_global_pool;
Evaluation evaluate_global_average_pool;
Evaluation evaluate_global_max_pool;

// softmax.cpp
Inference infer_softmax;
Evaluation evaluate_softmax;
Evaluation evaluate_log_softmax;

// order.cpp
Inference infer_arg;
Evaluation evaluate_arg_max;
Evaluation evaluate_arg_min;
Inference infer_top_k;
Evaluation evaluate_top_k;
Inference infer_cum_sum;
Evaluation evaluate_cum_sum;

// reshape.cpp
Evaluation evaluate_same_elements;
Inference infer_identity;
Inference infer_reshape;
Inference infer_flatten;
Inference infer_squeeze;
Inference infer_unsqueeze;
Inference infer_dropout;

// slicing.cpp
Inference infer_slice;
Evaluation evaluate_slice;
Inference infer_split;
Evaluation evaluate_split;
Inference infer_concat;
Evaluation evaluate_concat;

// movement.cpp
Inference infer_transpose;
Evaluation evaluate_transpose;
Inference infer_expand;
Evaluation evaluate_expand;
Inference infer_tile;
Evaluation evaluate_tile;

// pad.cpp
Inference infer_pad;
Evaluation evaluate_pad;

// gather.cpp
Inference infer_gather;
Evaluation evaluate_gather;
Inference infer_gather_elements;
Evaluation evaluate_gather_elements;
Inference infer_scatter_elements;
Evaluation evaluate_scatter_elements;
Inference infer_one_hot;
Evaluation evaluate_one_hot;

// constant.cpp
Inference infer_constant_of_shape;
Evaluation evaluate_constant_of_shape;
Inference infer_range;
Evaluation evaluate_range;
Inference infer_shape;
Evaluation evaluate_shape;
Inference infer_size;
Evaluation evaluate_size;

}  // namespace pdrt::reference
