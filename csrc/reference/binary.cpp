// Arithmetic on two inputs, or on any number of them, that broadcast.
#include <cmath>
#include <cstdint>
#include <string>
#include <type_traits>

#include "pdrt/error.h"
#include "reference/arithmetic.h"
#include "reference/checks.h"
#include "reference/elementwise.h"
#include "reference/reference.h"

namespace pdrt::reference {
namespace {

// Integers have no infinity to answer with, so what would be one is refused; reals follow IEEE.
template <typename T>
void refuse_zero(T divisor, const char* operation) {
  if (divisor == 0) throw InputError(std::string("integer ") + operation + " by zero");
}

// Dividing the smallest integer by -1 overflows; unsigned types have no -1.
template <typename T>
bool is_minus_one(T x) {
  return std::is_signed_v<T> && x == static_cast<T>(-1);
}

template <typename T>
T divide(T a, T b) {
  if constexpr (is_real<T>) {
    return a / b;
  } else {
    refuse_zero(b, "division");
    if (is_minus_one(b)) return subtract(T(0), a);  // the smallest integer wraps to itself
    return static_cast<T>(a / b);
  }
}

// The remainder with the sign of the dividend.
template <typename T>
T remainder(T a, T b) {
  if constexpr (is_real<T>) {
    return std::fmod(a, b);
  } else {
    refuse_zero(b, "remainder of a division");
    if (is_minus_one(b)) return 0;
    return static_cast<T>(a % b);
  }
}

// The remainder with the sign of the divisor.
template <typename T>
T modulo(T a, T b) {
  const T rest = remainder(a, b);
  if (rest == 0) {
    if constexpr (is_real<T>) return std::copysign(rest, b);
    return rest;
  }
  return (rest < 0) != (b < 0) ? add(rest, b) : rest;
}

// By squaring; integers wrap.
template <typename T>
T integer_power(T base, std::int64_t exponent) {
  if (exponent < 0) {
    refuse_zero(base, "power of a negative exponent: division");
    if (is_minus_one(base)) return exponent % 2 == 0 ? T(1) : base;
    return base == 1 ? T(1) : T(0);
  }
  T result = 1;
  for (; exponent > 0; exponent /= 2) {
    if (exponent % 2 == 1) result = multiply(result, base);
    base = multiply(base, base);
  }
  return result;
}

template <typename F>
void fold(const EvaluationCall& call, F f) {
  const TensorView& out = call.outputs[0];
  copy(broadcast(call.inputs[0], out), out);
  visit_numbers(out.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    for (std::size_t i = 1; i < call.inputs.size(); ++i) {
      map<T, T, T>(out, call.inputs[i], out, f);
    }
  });
}

}  // namespace

Shapes infer_binary_number(const InferenceCall& call) {
  const Known& a = input(call, 0, "A", kNumbers);
  const Known& b = input_like(call, 1, "B", a);
  return result(a.dtype, broadcast_shape(a.shape, b.shape));
}

Shapes infer_variadic(const InferenceCall& call) {
  const Known& first = input(call, 0, "data_0", kNumbers);
  Shape shape = first.shape;
  for (std::size_t i = 1; i < call.inputs.size(); ++i) {
    const std::string name = "data_" + std::to_string(i);
    const Known& next = input_like(call, static_cast<int>(i), name.c_str(), first);
    shape = broadcast_shape(shape, next.shape);
  }
  return result(first.dtype, shape);
}

Shapes infer_pow(const InferenceCall& call) {
  const Known& x = input(call, 0, "X", kSigned);
  const Known& y = input(call, 1, "Y", kNumbers);
  return result(x.dtype, broadcast_shape(x.shape, y.shape));
}

void evaluate_add(const EvaluationCall& call) {
  map_pairs(call, [](auto a, auto b) { return add(a, b); });
}

void evaluate_sub(const EvaluationCall& call) {
  map_pairs(call, [](auto a, auto b) { return subtract(a, b); });
}

void evaluate_mul(const EvaluationCall& call) {
  map_pairs(call, [](auto a, auto b) { return multiply(a, b); });
}

void evaluate_div(const EvaluationCall& call) {
  map_pairs(call, [](auto a, auto b) { return divide(a, b); });
}

void evaluate_mod(const EvaluationCall& call) {
  if (call.attributes.integer("fmod") != 0) {
    map_pairs(call, [](auto a, auto b) { return remainder(a, b); });
  } else {
    map_pairs(call, [](auto a, auto b) { return modulo(a, b); });
  }
}

void evaluate_max(const EvaluationCall& call) {
  fold(call, [](auto a, auto b) { return maximum(a, b); });
}

void evaluate_min(const EvaluationCall& call) {
  fold(call, [](auto a, auto b) { return minimum(a, b); });
}

// The result has the type of the base. Integers to integers are exact; everything else goes through
// double.
void evaluate_pow(const EvaluationCall& call) {
  visit_numbers(call.inputs[0].dtype, [&](auto base_type) {
    using Base = typename decltype(base_type)::type;
    visit_numbers(call.inputs[1].dtype, [&](auto exponent_type) {
      using Exponent = typename decltype(exponent_type)::type;
      map<Base, Exponent, Base>(
          call.inputs[0], call.inputs[1], call.outputs[0], [](Base x, Exponent y) {
            if constexpr (is_real<Base> || is_real<Exponent>) {
              return convert<Base>(std::pow(static_cast<double>(x), static_cast<double>(y)));
            } else {
              return integer_power(x, static_cast<std::int64_t>(y));
            }
          });
    });
  });
}

}  // namespace pdrt::reference
