// BatchNormalization and LRN.
#include <algorithm>
#include <cmath>
#include <string>

#include "reference/checks.h"
#include "reference/iterate.h"
#include "reference/reference.h"
#include "reference/visit.h"

namespace pdrt::reference {

Shapes infer_batch_normalization(const InferenceCall& call) {
  const Known& x = input(call, 0, "X", kReals);
  require_rank(x, "X", 2, kMaxRank);
  const char* names[] = {"X", "scale", "B", "input_mean", "input_var"};
  for (int i = 1; i < 5; ++i) {
    const Known& parameter = input_like(call, i, names[i], x);
    if (parameter.shape != Shape{x.shape[1]}) {
      refuse("input '" + std::string(names[i]) + "' has shape " + to_string(parameter.shape) +
             ", expected one number for each of the " + std::to_string(x.shape[1]) + " channels");
    }
  }
  if (call.attributes.integer("training_mode") != 0) {
    refuse("attribute 'training_mode' is set, but pdrt runs inference only");
  }
  return result(x.dtype, x.shape);
}

void evaluate_batch_normalization(const EvaluationCall& call) {
  if (call.outputs[0].count() == 0) return;
  const TensorView& x = call.inputs[0];
  const TensorView& y = call.outputs[0];
  const double epsilon = call.attributes.real("epsilon");
  visit_floats(x.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    for (std::int64_t c = 0; c < x.dims[1]; ++c) {
      const auto parameter = [&](int i) {
        return static_cast<double>(call.inputs[i].as<const T>()[c * call.inputs[i].strides[0]]);
      };
      const double scale = parameter(1) / std::sqrt(parameter(4) + epsilon);
      const double shift = parameter(2);
      const double mean = parameter(3);
      map<T, T>(selected(x, 1, c), selected(y, 1, c),
                [=](T v) { return static_cast<T>((v - mean) * scale + shift); });
    }
  });
}

Shapes infer_lrn(const InferenceCall& call) {
  const Known& x = input(call, 0, "X", kReals);
  require_rank(x, "X", 2, kMaxRank);
  bounded(call.attributes, "size", 1, 1 << 20);
  return result(x.dtype, x.shape);
}

// Divides by a power of the sum of squares over `size` neighbouring channels.
void evaluate_lrn(const EvaluationCall& call) {
  const TensorView& x = call.inputs[0];
  const TensorView& y = call.outputs[0];
  const std::int64_t size = call.attributes.integer("size");
  const double scale = call.attributes.real("alpha") / static_cast<double>(size);
  const double beta = call.attributes.real("beta");
  const double bias = call.attributes.real("bias");
  const std::int64_t channels = x.dims[1];
  visit_floats(x.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    for_each_line<2>({x, y}, 1, [&](const PerView<2>& offset) {
      const T* in = x.as<const T>() + offset[0];
      T* out = y.as<T>() + offset[1];
      for (std::int64_t c = 0; c < channels; ++c) {
        const std::int64_t first = std::max<std::int64_t>(0, c - (size - 1) / 2);
        const std::int64_t last = std::min(channels - 1, c + size / 2);
        double squares = 0;
        for (std::int64_t i = first; i <= last; ++i) {
          const double value = in[i * x.strides[1]];
          squares += value * value;
        }
        out[c * y.strides[1]] =
            static_cast<T>(in[c * x.strides[1]] / std::pow(bias + scale * squares, beta));
      }
    });
  });
}

}  // namespace pdrt::reference
