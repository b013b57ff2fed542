// Tensors made from a shape or a few numbers: ConstantOfShape, Range, Shape and Size.
#include <algorithm>
#include <cmath>
#include <string>

#include "reference/arithmetic.h"
#include "reference/checks.h"
#include "reference/iterate.h"
#include "reference/reference.h"
#include "reference/visit.h"

namespace pdrt::reference {
namespace {

// The dimensions [first, last) that Shape returns; positions count from the end when negative, and
// are clamped.
struct Part {
  int first = 0;
  int last = 0;
};

Part part_of(const Attributes& attributes, int rank) {
  const auto position = [&](const char* name) {
    std::int64_t value = attributes.integer(name);
    if (value < 0) value += rank;
    return static_cast<int>(std::clamp<std::int64_t>(value, 0, rank));
  };
  Part part;
  part.first = position("start");
  part.last = std::max(part.first, position("end"));
  return part;
}

template <typename T>
std::int64_t range_count(T start, T limit, T delta) {
  if (delta == 0) refuse("input 'delta' is 0");
  if constexpr (is_real<T>) {
    const double count =
        std::ceil((static_cast<double>(limit) - start) / static_cast<double>(delta));
    // Negated, so that a NaN is refused too. 2^40 is past what any output may have.
    if (!(count < std::ldexp(1.0, 40))) {
      refuse("inputs 'start', 'limit' and 'delta' are " + std::to_string(start) + ", " +
             std::to_string(limit) + " and " + std::to_string(delta) +
             ", which is no finite number of steps");
    }
    return count > 0 ? static_cast<std::int64_t>(count) : 0;
  } else {
    if (delta > 0 ? limit <= start : limit >= start) return 0;
    const auto word = [](T x) { return static_cast<std::uint64_t>(x); };
    const std::uint64_t distance =
        delta > 0 ? word(limit) - word(start) : word(start) - word(limit);
    const std::uint64_t step = delta > 0 ? word(delta) : std::uint64_t{0} - word(delta);
    const std::uint64_t count = distance / step + (distance % step != 0 ? 1 : 0);
    return static_cast<std::int64_t>(std::min(count, std::uint64_t{1} << 40));
  }
}

}  // namespace

// ONNX's `value` attribute is the optional second input: attributes of a .pdrt file hold no
// tensors.
Shapes infer_constant_of_shape(const InferenceCall& call) {
  const Shape shape = known_integers(call, 0, "input");
  if (!given(call, 1)) return result(DType::f32, shape);
  const Known& value = input(call, 1, "value", kAll);
  if (count_of(value.shape) != 1) {
    refuse("input 'value' has shape " + to_string(value.shape) + ", expected one value");
  }
  return result(value.dtype, shape);
}

void evaluate_constant_of_shape(const EvaluationCall& call) {
  const TensorView& out = call.outputs[0];
  const bool has_value = call.inputs.size() > 1 && call.inputs[1].present();
  visit_sizes(out.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    fill(out, has_value ? *call.inputs[1].as<const T>() : T(0));
  });
}

Shapes infer_range(const InferenceCall& call) {
  const TensorView start = known_scalar(call, 0, "start", kSigned);
  const TensorView limit = known_scalar(call, 1, "limit", DTypes{start.dtype});
  const TensorView delta = known_scalar(call, 2, "delta", DTypes{start.dtype});
  std::int64_t count = 0;
  visit_numbers(start.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    count = range_count(*start.as<const T>(), *limit.as<const T>(), *delta.as<const T>());
  });
  return result(start.dtype, {count});
}

void evaluate_range(const EvaluationCall& call) {
  const TensorView& out = call.outputs[0];
  visit_numbers(out.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const auto start = static_cast<Sum<T>>(*call.inputs[0].as<const T>());
    const auto delta = static_cast<Sum<T>>(*call.inputs[2].as<const T>());
    for (std::int64_t i = 0; i < out.dims[0]; ++i) {
      out.as<T>()[i * out.strides[0]] = static_cast<T>(start + static_cast<Sum<T>>(i) * delta);
    }
  });
}

Shapes infer_shape(const InferenceCall& call) {
  const Known& x = input(call, 0, "data", kAll);
  const Part part = part_of(call.attributes, static_cast<int>(x.shape.size()));
  return result(DType::i64, {part.last - part.first});
}

void evaluate_shape(const EvaluationCall& call) {
  const TensorView& out = call.outputs[0];
  const Part part = part_of(call.attributes, call.inputs[0].rank);
  for (int axis = part.first; axis < part.last; ++axis) {
    out.as<std::int64_t>()[(axis - part.first) * out.strides[0]] = call.inputs[0].dims[axis];
  }
}

Shapes infer_size(const InferenceCall& call) {
  input(call, 0, "data", kAll);
  return result(DType::i64, {});
}

void evaluate_size(const EvaluationCall& call) {
  *call.outputs[0].as<std::int64_t>() = call.inputs[0].count();
}

}  // namespace pdrt::reference
