// Comparisons and logic, whose results are bools, and Where, which chooses by one.
#include "reference/arithmetic.h"
#include "reference/checks.h"
#include "reference/iterate.h"
#include "reference/reference.h"
#include "reference/visit.h"

namespace pdrt::reference {
namespace {

Shapes infer_pair(const InferenceCall& call, const DTypes& allowed) {
  const Known& a = input(call, 0, "A", allowed);
  const Known& b = input_like(call, 1, "B", a);
  return result(DType::boolean, broadcast_shape(a.shape, b.shape));
}

template <typename T, typename F>
void map_to_boolean(const EvaluationCall& call, F f) {
  map<T, T, Boolean>(call.inputs[0], call.inputs[1], call.outputs[0],
                     [f](T a, T b) { return Boolean(f(a, b)); });
}

template <typename F>
void compare(const EvaluationCall& call, F f) {
  visit_all(call.inputs[0].dtype,
            [&](auto type) { map_to_boolean<typename decltype(type)::type>(call, f); });
}

}  // namespace

Shapes infer_equal(const InferenceCall& call) { return infer_pair(call, kAll); }
Shapes infer_compare(const InferenceCall& call) { return infer_pair(call, kNumbers); }
Shapes infer_logic(const InferenceCall& call) { return infer_pair(call, kBoolean); }

void evaluate_equal(const EvaluationCall& call) {
  compare(call, [](auto a, auto b) { return a == b; });
}

void evaluate_greater(const EvaluationCall& call) {
  compare(call, [](auto a, auto b) { return a > b; });
}

void evaluate_greater_or_equal(const EvaluationCall& call) {
  compare(call, [](auto a, auto b) { return a >= b; });
}

void evaluate_less(const EvaluationCall& call) {
  compare(call, [](auto a, auto b) { return a < b; });
}

void evaluate_less_or_equal(const EvaluationCall& call) {
  compare(call, [](auto a, auto b) { return a <= b; });
}

void evaluate_and(const EvaluationCall& call) {
  map_to_boolean<Boolean>(call, [](bool a, bool b) { return a && b; });
}

void evaluate_or(const EvaluationCall& call) {
  map_to_boolean<Boolean>(call, [](bool a, bool b) { return a || b; });
}

void evaluate_xor(const EvaluationCall& call) {
  map_to_boolean<Boolean>(call, [](bool a, bool b) { return a != b; });
}

Shapes infer_where(const InferenceCall& call) {
  const Known& condition = input(call, 0, "condition", kBoolean);
  const Known& x = input(call, 1, "X", kAll);
  const Known& y = input_like(call, 2, "Y", x);
  return result(x.dtype, broadcast_shape(condition.shape, broadcast_shape(x.shape, y.shape)));
}

void evaluate_where(const EvaluationCall& call) {
  visit_sizes(call.inputs[1].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    map<Boolean, T, T, T>(call.inputs[0], call.inputs[1], call.inputs[2], call.outputs[0],
                          [](Boolean condition, T x, T y) { return condition ? x : y; });
  });
}

}  // namespace pdrt::reference
