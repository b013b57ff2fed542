// What depends on the order of elements along one axis: TopK, ArgMax, ArgMin and CumSum.
#include <algorithm>
#include <string>
#include <vector>

#include "pdrt/error.h"
#include "reference/arithmetic.h"
#include "reference/checks.h"
#include "reference/iterate.h"
#include "reference/reference.h"
#include "reference/visit.h"

namespace pdrt::reference {
namespace {

// better(a, b): a is to be preferred to b; of equals the first counts, or with select_last_index
// the last.
template <typename Better>
void arg(const EvaluationCall& call, Better better) {
  const TensorView& in = call.inputs[0];
  const int axis = axis_of(call.attributes.integer("axis"), in.rank);
  const bool last = call.attributes.integer("select_last_index") != 0;
  TensorView out = call.outputs[0];
  if (out.rank != in.rank) out = with_axis(out, axis);
  visit_numbers(in.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    for_each_line<2>({in, out}, axis, [&](const PerView<2>& offset) {
      const T* x = in.as<const T>() + offset[0];
      std::int64_t best = 0;
      for (std::int64_t i = 1; i < in.dims[axis]; ++i) {
        const T candidate = x[i * in.strides[axis]];
        const T champion = x[best * in.strides[axis]];
        if (better(candidate, champion) || (last && !better(champion, candidate))) best = i;
      }
      out.as<std::int64_t>()[offset[1]] = best;
    });
  });
}

// The position `axis` input of CumSum.
std::int64_t axis_in(const TensorView& view) { return integers_of(view).at(0); }

}  // namespace

Shapes infer_arg(const InferenceCall& call) {
  const Known& x = input(call, 0, "data", kNumbers);
  require_rank(x, "data", 1, kMaxRank);
  const int axis = axis_of(call.attributes.integer("axis"), static_cast<int>(x.shape.size()));
  if (x.shape[axis] == 0) {
    refuse("input 'data' has shape " + to_string(x.shape) + ", with nothing along axis " +
           std::to_string(axis));
  }
  Shape shape = x.shape;
  if (call.attributes.integer("keepdims") != 0) {
    shape[axis] = 1;
  } else {
    shape.erase(shape.begin() + axis);
  }
  return result(DType::i64, shape);
}

// A NaN is found before any number, by both.
void evaluate_arg_max(const EvaluationCall& call) {
  arg(call, [](auto a, auto b) { return ordered_less(b, a); });
}

void evaluate_arg_min(const EvaluationCall& call) {
  arg(call, [](auto a, auto b) { return !is_nan(b) && (is_nan(a) || a < b); });
}

Shapes infer_top_k(const InferenceCall& call) {
  const Known& x = input(call, 0, "X", kNumbers);
  require_rank(x, "X", 1, kMaxRank);
  const int axis = axis_of(call.attributes.integer("axis"), static_cast<int>(x.shape.size()));
  const std::int64_t k = known_integer(call, 1, "K");
  if (k < 0 || k > x.shape[axis]) {
    refuse("input 'K' is " + std::to_string(k) + ", but there are " +
           std::to_string(x.shape[axis]) + " elements along axis " + std::to_string(axis) + " of " +
           to_string(x.shape));
  }
  Shape shape = x.shape;
  shape[axis] = k;
  Shapes shapes{checked(x.dtype, shape), checked(DType::i64, shape)};
  shapes.resize(static_cast<std::size_t>(std::min(call.outputs, 2)));
  return shapes;
}

// Always sorted; of equals the lower index comes first; a NaN is greater than every number.
void evaluate_top_k(const EvaluationCall& call) {
  const TensorView& in = call.inputs[0];
  const bool want_values = call.outputs[0].present();
  const bool want_indices = call.outputs.size() > 1 && call.outputs[1].present();
  if (!want_values && !want_indices) return;
  const TensorView& values = call.outputs[want_values ? 0 : 1];
  if (values.count() == 0) return;
  const TensorView& indices = call.outputs[want_indices ? 1 : 0];
  const int axis = axis_of(call.attributes.integer("axis"), in.rank);
  const bool largest = call.attributes.integer("largest") != 0;
  const std::int64_t k = values.dims[axis];
  std::vector<std::int64_t> order(static_cast<std::size_t>(in.dims[axis]));
  visit_numbers(in.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    for_each_line<3>({in, values, indices}, axis, [&](const PerView<3>& offset) {
      const T* x = in.as<const T>() + offset[0];
      const std::int64_t step = in.strides[axis];
      for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
      std::partial_sort(order.begin(), order.begin() + k, order.end(),
                        [&](std::int64_t i, std::int64_t j) {
                          const T a = x[i * step];
                          const T b = x[j * step];
                          if (largest ? ordered_less(b, a) : ordered_less(a, b)) return true;
                          if (largest ? ordered_less(a, b) : ordered_less(b, a)) return false;
                          return i < j;
                        });
      for (std::int64_t i = 0; i < k; ++i) {
        if (want_values) values.as<T>()[offset[1] + i * values.strides[axis]] = x[order[i] * step];
        if (want_indices) {
          indices.as<std::int64_t>()[offset[2] + i * indices.strides[axis]] = order[i];
        }
      }
    });
  });
}

Shapes infer_cum_sum(const InferenceCall& call) {
  const Known& x = input(call, 0, "x", kSigned);
  const Known& axis = input(call, 1, "axis", kIndices);
  require_rank(x, "x", 1, kMaxRank);
  require_rank(axis, "axis", 0, 1);
  if (count_of(axis.shape) != 1) {
    refuse("input 'axis' has shape " + to_string(axis.shape) + ", expected one number");
  }
  if (axis.constant.present()) {
    axis_of(axis_in(axis.constant), static_cast<int>(x.shape.size()), "input 'axis'");
  }
  return result(x.dtype, x.shape);
}

void evaluate_cum_sum(const EvaluationCall& call) {
  const TensorView& in = call.inputs[0];
  const TensorView& out = call.outputs[0];
  const std::int64_t wanted = axis_in(call.inputs[1]);
  if (wanted < -in.rank || wanted >= in.rank) {
    throw InputError("input 'axis' " + std::to_string(wanted) + " does not exist in " +
                     std::to_string(in.rank) + " dimensions");
  }
  const int axis = static_cast<int>(wanted < 0 ? wanted + in.rank : wanted);
  const bool exclusive = call.attributes.integer("exclusive") != 0;
  const bool reverse = call.attributes.integer("reverse") != 0;
  const std::int64_t length = in.dims[axis];
  visit_numbers(in.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    for_each_line<2>({in, out}, axis, [&](const PerView<2>& offset) {
      const T* x = in.as<const T>() + offset[0];
      T* y = out.as<T>() + offset[1];
      Sum<T> sum = 0;
      for (std::int64_t i = 0; i < length; ++i) {
        const std::int64_t at = reverse ? length - 1 - i : i;
        const auto value = static_cast<Sum<T>>(x[at * in.strides[axis]]);
        y[at * out.strides[axis]] = static_cast<T>(exclusive ? sum : sum + value);
        sum += value;
      }
    });
  });
}

}  // namespace pdrt::reference
