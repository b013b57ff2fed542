// Functions of one number: rounding, signs, roots and exponentials; and of one bool.
#include <cmath>

#include "reference/arithmetic.h"
#include "reference/checks.h"
#include "reference/elementwise.h"
#include "reference/reference.h"

namespace pdrt::reference {
namespace {

Shapes infer_unary(const InferenceCall& call, const DTypes& allowed) {
  const Known& x = input(call, 0, "X", allowed);
  return result(x.dtype, x.shape);
}

}  // namespace

Shapes infer_unary_real(const InferenceCall& call) { return infer_unary(call, kReals); }
Shapes infer_unary_signed(const InferenceCall& call) { return infer_unary(call, kSigned); }
Shapes infer_unary_number(const InferenceCall& call) { return infer_unary(call, kNumbers); }
Shapes infer_not(const InferenceCall& call) { return infer_unary(call, kBoolean); }

void evaluate_abs(const EvaluationCall& call) {
  map_numbers(call, [](auto x) { return magnitude(x); });
}

void evaluate_neg(const EvaluationCall& call) {
  map_numbers(call, [](auto x) {
    using T = decltype(x);
    return is_real<T> ? static_cast<T>(-x) : subtract(T(0), x);
  });
}

void evaluate_sign(const EvaluationCall& call) {
  map_numbers(call, [](auto x) {
    using T = decltype(x);
    if (is_nan(x)) return x;
    return static_cast<T>(static_cast<int>(x > 0) - static_cast<int>(x < 0));
  });
}

void evaluate_floor(const EvaluationCall& call) {
  map_reals(call, [](double x) { return std::floor(x); });
}

void evaluate_ceil(const EvaluationCall& call) {
  map_reals(call, [](double x) { return std::ceil(x); });
}

// Halves go to the even neighbour.
void evaluate_round(const EvaluationCall& call) {
  map_reals(call, [](double x) { return std::nearbyint(x); });
}

void evaluate_exp(const EvaluationCall& call) {
  map_reals(call, [](double x) { return std::exp(x); });
}

void evaluate_log(const EvaluationCall& call) {
  map_reals(call, [](double x) { return std::log(x); });
}

void evaluate_sqrt(const EvaluationCall& call) {
  map_reals(call, [](double x) { return std::sqrt(x); });
}

void evaluate_reciprocal(const EvaluationCall& call) {
  map_reals(call, [](double x) { return 1 / x; });
}

void evaluate_erf(const EvaluationCall& call) {
  map_reals(call, [](double x) { return std::erf(x); });
}

void evaluate_not(const EvaluationCall& call) {
  map<Boolean, Boolean>(call.inputs[0], call.outputs[0], [](Boolean x) { return Boolean(!x); });
}

}  // namespace pdrt::reference
