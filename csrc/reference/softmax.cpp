// Softmax and LogSoftmax along one axis; the largest element is subtracted first, so nothing
// overflows.
#include <cmath>
#include <limits>

#include "reference/arithmetic.h"
#include "reference/checks.h"
#include "reference/iterate.h"
#include "reference/reference.h"
#include "reference/visit.h"

namespace pdrt::reference {
namespace {

// finish(x - largest, sum of exp(x - largest)) for each element of each line.
template <typename Finish>
void softmax(const EvaluationCall& call, Finish finish) {
  const TensorView& in = call.inputs[0];
  const TensorView& out = call.outputs[0];
  const int axis = axis_of(call.attributes.integer("axis"), in.rank);
  const std::int64_t length = in.dims[axis];
  visit_floats(in.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    for_each_line<2>({in, out}, axis, [&](const PerView<2>& offset) {
      const T* x = in.as<const T>() + offset[0];
      T* y = out.as<T>() + offset[1];
      const auto at = [&](std::int64_t i) { return static_cast<double>(x[i * in.strides[axis]]); };
      double largest = -std::numeric_limits<double>::infinity();
      for (std::int64_t i = 0; i < length; ++i) largest = maximum(largest, at(i));
      double sum = 0;
      for (std::int64_t i = 0; i < length; ++i) sum += std::exp(at(i) - largest);
      for (std::int64_t i = 0; i < length; ++i) {
        y[i * out.strides[axis]] = static_cast<T>(finish(at(i) - largest, sum));
      }
    });
  });
}

}  // namespace

Shapes infer_softmax(const InferenceCall& call) {
  const Known& x = input(call, 0, "input", kReals);
  require_rank(x, "input", 1, kMaxRank);
  axis_of(call.attributes.integer("axis"), static_cast<int>(x.shape.size()));
  return result(x.dtype, x.shape);
}

void evaluate_softmax(const EvaluationCall& call) {
  softmax(call, [](double x, double sum) { return std::exp(x) / sum; });
}

void evaluate_log_softmax(const EvaluationCall& call) {
  softmax(call, [](double x, double sum) { return x - std::log(sum); });
}

}  // namespace pdrt::reference
