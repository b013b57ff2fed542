// Reductions over any set of axes, global pooling among them.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "reference/arithmetic.h"
#include "reference/checks.h"
#include "reference/iterate.h"
#include "reference/reference.h"
#include "reference/visit.h"

namespace pdrt::reference {
namespace {

// What a set of numbers is reduced to: take each, then finish. An empty set gives the neutral
// element.

template <typename T>
struct Total {
  Sum<T> sum = 0;
  void take(T x) { sum += static_cast<Sum<T>>(x); }
  T finish(std::int64_t) const { return static_cast<T>(sum); }
};

template <typename T>
struct Mean : Total<T> {
  T finish(std::int64_t count) const {
    if constexpr (is_real<T>) {
      return static_cast<T>(this->sum / static_cast<double>(count));
    } else {  // towards zero; inference refuses a mean of no integers
      return static_cast<T>(static_cast<std::int64_t>(this->sum) / count);
    }
  }
};

template <typename T>
struct Product {
  Sum<T> product = 1;
  void take(T x) { product *= static_cast<Sum<T>>(x); }
  T finish(std::int64_t) const { return static_cast<T>(product); }
};

template <typename T>
struct L1 {
  Sum<T> sum = 0;
  void take(T x) { sum += static_cast<Sum<T>>(magnitude(x)); }
  T finish(std::int64_t) const { return static_cast<T>(sum); }
};

template <typename T>
struct L2 {
  double squares = 0;
  void take(T x) { squares += static_cast<double>(x) * static_cast<double>(x); }
  T finish(std::int64_t) const { return convert<T>(std::sqrt(squares)); }
};

template <typename T>
struct Largest {
  T value = is_real<T> ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
  void take(T x) { value = maximum(value, x); }
  T finish(std::int64_t) const { return value; }
};
template <>
struct Largest<Boolean> {
  Boolean value = false;
  void take(Boolean x) { value = maximum(value, x); }
  Boolean finish(std::int64_t) const { return value; }
};

template <typename T>
struct Smallest {
  T value = is_real<T> ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
  void take(T x) { value = minimum(value, x); }
  T finish(std::int64_t) const { return value; }
};
template <>
struct Smallest<Boolean> {
  Boolean value = true;
  void take(Boolean x) { value = minimum(value, x); }
  Boolean finish(std::int64_t) const { return value; }
};

// Reduces the listed axes, in ascending order; `out` has the remaining ones (as many ones between
// them as you like).
template <typename T, typename Reducer>
void reduce(const TensorView& in, const TensorView& out, const std::vector<int>& axes) {
  std::vector<int> kept;
  for (int axis = 0; axis < in.rank; ++axis) {
    if (!std::binary_search(axes.begin(), axes.end(), axis)) kept.push_back(axis);
  }
  const TensorView outer = transposed(in, kept);
  const TensorView inner = transposed(in, axes);
  const std::int64_t count = inner.count();
  // The output seen with the kept axes only: the others have length 1.
  TensorView to = out;
  if (to.rank != outer.rank) to = transposed(out, kept);

  const Rows<1> set({inner});
  Rows<2>({outer, to}).each([&](const PerView<2>& offset) {
    const T* from = in.as<const T>() + offset[0];
    Reducer reducer;
    set.walk([&](const PerView<1>& at, std::int64_t n, const PerView<1>& step) {
      const T* row = from + at[0];
      for (std::int64_t i = 0; i < n; ++i) reducer.take(row[i * step[0]]);
    });
    to.as<T>()[offset[1]] = reducer.finish(count);
  });
}

// No axes mean all of them, or none with noop_with_empty_axes. Sorted.
std::vector<int> reduced_axes(const Attributes& attributes, const std::vector<std::int64_t>& listed,
                              int rank) {
  std::vector<int> axes = axes_of(listed, rank, "axes");
  if (listed.empty() && attributes.integer("noop_with_empty_axes") == 0) {
    axes.resize(static_cast<std::size_t>(rank));
    std::iota(axes.begin(), axes.end(), 0);
  }
  std::sort(axes.begin(), axes.end());
  return axes;
}

Shapes infer_reduce(const InferenceCall& call, const DTypes& allowed) {
  const Known& x = input(call, 0, "data", allowed);
  const auto listed =
      given(call, 1) ? known_integers(call, 1, "axes") : std::vector<std::int64_t>{};
  const int rank = static_cast<int>(x.shape.size());
  const std::vector<int> axes = reduced_axes(call.attributes, listed, rank);
  const bool keep = call.attributes.integer("keepdims") != 0;
  Shape shape;
  for (int axis = 0; axis < rank; ++axis) {
    if (!std::binary_search(axes.begin(), axes.end(), axis)) {
      shape.push_back(x.shape[axis]);
    } else if (keep) {
      shape.push_back(1);
    }
  }
  return result(x.dtype, shape);
}

std::vector<int> axes_to_reduce(const EvaluationCall& call) {
  const bool present = call.inputs.size() > 1 && call.inputs[1].present();
  return reduced_axes(call.attributes,
                      present ? integers_of(call.inputs[1]) : std::vector<std::int64_t>{},
                      call.inputs[0].rank);
}

template <template <typename> class Reducer>
void reduce_numbers(const EvaluationCall& call) {
  visit_numbers(call.inputs[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    reduce<T, Reducer<T>>(call.inputs[0], call.outputs[0], axes_to_reduce(call));
  });
}

template <template <typename> class Reducer>
void reduce_all(const EvaluationCall& call) {
  visit_all(call.inputs[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    reduce<T, Reducer<T>>(call.inputs[0], call.outputs[0], axes_to_reduce(call));
  });
}

template <template <typename> class Reducer>
void pool_globally(const EvaluationCall& call) {
  std::vector<int> axes(static_cast<std::size_t>(call.inputs[0].rank - 2));
  std::iota(axes.begin(), axes.end(), 2);
  visit_floats(call.inputs[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    reduce<T, Reducer<T>>(call.inputs[0], call.outputs[0], axes);
  });
}

}  // namespace

Shapes infer_reduce_number(const InferenceCall& call) { return infer_reduce(call, kSigned); }
Shapes infer_reduce_order(const InferenceCall& call) { return infer_reduce(call, kAll); }

Shapes infer_reduce_mean(const InferenceCall& call) {
  Shapes shapes = infer_reduce(call, kSigned);
  const Known& x = call.inputs[0];
  if (!kReals.has(x.dtype) && count_of(x.shape) == 0 && count_of(shapes[0].shape) > 0) {
    refuse("input 'data' has shape " + to_string(x.shape) + ": there is no mean of no integers");
  }
  return shapes;
}

void evaluate_reduce_sum(const EvaluationCall& call) { reduce_numbers<Total>(call); }
void evaluate_reduce_mean(const EvaluationCall& call) { reduce_numbers<Mean>(call); }
void evaluate_reduce_prod(const EvaluationCall& call) { reduce_numbers<Product>(call); }
void evaluate_reduce_l1(const EvaluationCall& call) { reduce_numbers<L1>(call); }
void evaluate_reduce_l2(const EvaluationCall& call) { reduce_numbers<L2>(call); }
void evaluate_reduce_max(const EvaluationCall& call) { reduce_all<Largest>(call); }
void evaluate_reduce_min(const EvaluationCall& call) { reduce_all<Smallest>(call); }

Shapes infer_global_pool(const InferenceCall& call) {
  const Known& x = input(call, 0, "X", kReals);
  require_rank(x, "X", 3, kMaxRank);
  Shape shape(x.shape.size(), 1);
  shape[0] = x.shape[0];
  shape[1] = x.shape[1];
  return result(x.dtype, shape);
}

void evaluate_global_average_pool(const EvaluationCall& call) { pool_globally<Mean>(call); }
void evaluate_global_max_pool(const EvaluationCall& call) { pool_globally<Largest>(call); }

}  // namespace pdrt::reference
