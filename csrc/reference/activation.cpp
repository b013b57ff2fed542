// Functions of one number with a bend or a saturation: what stands behind a convolution. In double,
// rounded once.
#include <cmath>
#include <limits>
#include <string>

#include "reference/arithmetic.h"
#include "reference/checks.h"
#include "reference/elementwise.h"
#include "reference/reference.h"

namespace pdrt::reference {
namespace {

// Between 0 and 1; NaN stays NaN.
double unit_clamp(double x) { return x < 0 ? 0 : x > 1 ? 1 : x; }

}  // namespace

void evaluate_relu(const EvaluationCall& call) {
  map_numbers(call, [](auto x) { return x < 0 ? decltype(x)(0) : x; });
}

void evaluate_leaky_relu(const EvaluationCall& call) {
  const double alpha = call.attributes.real("alpha");
  map_reals(call, [alpha](double x) { return x < 0 ? alpha * x : x; });
}

Shapes infer_prelu(const InferenceCall& call) {
  const Known& x = input(call, 0, "X", kSigned);
  require_broadcast(input_like(call, 1, "slope", x), "slope", x.shape);
  return result(x.dtype, x.shape);
}

void evaluate_prelu(const EvaluationCall& call) {
  map_pairs(call, [](auto x, auto slope) { return x < 0 ? multiply(slope, x) : x; });
}

Shapes infer_clip(const InferenceCall& call) {
  const Known& x = input(call, 0, "input", kNumbers);
  for (int i = 1; i < 3; ++i) {
    if (!given(call, i)) continue;
    const char* name = i == 1 ? "min" : "max";
    const Known& bound = input_like(call, i, name, x);
    if (count_of(bound.shape) != 1) {
      refuse("input '" + std::string(name) + "' has shape " + to_string(bound.shape) +
             ", expected one number");
    }
  }
  return result(x.dtype, x.shape);
}

// Without a bound the type's largest finite numbers are the bounds: an infinity becomes finite, as
// ONNX has it.
void evaluate_clip(const EvaluationCall& call) {
  visit_numbers(call.inputs[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const auto bound = [&](std::size_t i, T fallback) {
      const bool present = i < call.inputs.size() && call.inputs[i].present();
      return present ? *call.inputs[i].as<const T>() : fallback;
    };
    const T low = bound(1, std::numeric_limits<T>::lowest());
    const T high = bound(2, std::numeric_limits<T>::max());
    map<T, T>(call.inputs[0], call.outputs[0],
              [low, high](T x) { return minimum(maximum(x, low), high); });
  });
}

void evaluate_sigmoid(const EvaluationCall& call) {
  map_reals(call, [](double x) {
    const double e = std::exp(-std::abs(x));  // never overflows
    return (x < 0 ? e : 1) / (1 + e);
  });
}

void evaluate_hard_sigmoid(const EvaluationCall& call) {
  const double alpha = call.attributes.real("alpha");
  const double beta = call.attributes.real("beta");
  map_reals(call, [=](double x) { return unit_clamp(alpha * x + beta); });
}

void evaluate_hard_swish(const EvaluationCall& call) {
  map_reals(call, [](double x) { return x * unit_clamp(x / 6 + 0.5); });
}

void evaluate_tanh(const EvaluationCall& call) {
  map_reals(call, [](double x) { return std::tanh(x); });
}

void evaluate_elu(const EvaluationCall& call) {
  const double alpha = call.attributes.real("alpha");
  map_reals(call, [alpha](double x) { return x < 0 ? alpha * std::expm1(x) : x; });
}

void evaluate_selu(const EvaluationCall& call) {
  const double alpha = call.attributes.real("alpha");
  const double gamma = call.attributes.real("gamma");
  map_reals(call, [=](double x) { return gamma * (x > 0 ? x : alpha * std::expm1(x)); });
}

Shapes infer_gelu(const InferenceCall& call) {
  const Known& x = input(call, 0, "X", kReals);
  one_of(call.attributes, "approximate", {"none", "tanh"});
  return result(x.dtype, x.shape);
}

void evaluate_gelu(const EvaluationCall& call) {
  const double root_of_half = std::sqrt(0.5);
  const double root_of_two_over_pi = std::sqrt(2 / std::acos(-1.0));
  if (call.attributes.text("approximate") == "tanh") {
    return map_reals(call, [=](double x) {
      return 0.5 * x * (1 + std::tanh(root_of_two_over_pi * (x + 0.044715 * x * x * x)));
    });
  }
  map_reals(call, [=](double x) { return 0.5 * x * (1 + std::erf(root_of_half * x)); });
}

void evaluate_softplus(const EvaluationCall& call) {
  // log(1 + e^x), without overflow
  map_reals(call, [](double x) { return (x > 0 ? x : 0) + std::log1p(std::exp(-std::abs(x))); });
}

}  // namespace pdrt::reference
