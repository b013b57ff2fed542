// Conv.
#include <algorithm>
#include <string>
#include <vector>

#include "reference/checks.h"
#include "reference/reference.h"
#include "reference/views.h"
#include "reference/visit.h"
#include "reference/window.h"

namespace pdrt::reference {
namespace {

Shape kernel_of(const Shape& weights) { return Shape(weights.begin() + 2, weights.end()); }

// One row of outputs, in double: taps outermost, so that the inner loop runs along pixels.
template <typename T>
void accumulate_row(const TensorView& x, const TensorView& w, const Window& window, std::int64_t y,
                    std::vector<double>& row) {
  const WindowAxis& width = window.width;
  const Taps rows = window.height.inside(y);
  for (std::int64_t c = 0; c < w.dims[0]; ++c) {
    for (std::int64_t i = rows.first; i < rows.last; ++i) {
      const std::int64_t line = window.height.start(y) + i * window.height.dilation;
      for (std::int64_t j = 0; j < width.kernel; ++j) {
        const double tap = w.as<const T>()[c * w.strides[0] + i * w.strides[1] + j * w.strides[2]];
        const Taps columns = width.windows_of(j);
        const std::int64_t step = width.stride * x.strides[2];
        const T* in = x.as<const T>() + c * x.strides[0] + line * x.strides[1];
        const std::int64_t shift = (j * width.dilation - width.pad_begin) * x.strides[2];
        for (std::int64_t o = columns.first; o < columns.last; ++o) {
          row[o] += tap * static_cast<double>(in[shift + o * step]);
        }
      }
    }
  }
}

}  // namespace

Shapes infer_conv(const InferenceCall& call) {
  const Known& x = input(call, 0, "X", kReals);
  const Known& w = input_like(call, 1, "W", x);
  require_rank(x, "X", 3, 4);
  const int rank = static_cast<int>(x.shape.size());
  require_rank(w, "W", rank, rank);
  const std::int64_t groups = bounded(call.attributes, "group", 1, x.shape[1]);
  if (x.shape[1] % groups != 0 || x.shape[1] / groups != w.shape[1]) {
    refuse("the " + std::to_string(x.shape[1]) + " channels of the input " + to_string(x.shape) +
           " in " + std::to_string(groups) + " group(s) do not match the weights " +
           to_string(w.shape));
  }
  if (w.shape[0] % groups != 0) {
    refuse("the " + std::to_string(w.shape[0]) + " kernels do not divide into " +
           std::to_string(groups) + " groups");
  }
  const Shape kernel = kernel_of(w.shape);
  const Shape& declared = call.attributes.integers("kernel_shape");
  if (!declared.empty() && declared != kernel) {
    refuse("attribute 'kernel_shape' is " + to_string(declared) + ", but the weights are " +
           to_string(w.shape));
  }
  if (given(call, 2)) {
    const Known& bias = input_like(call, 2, "B", x);
    if (bias.shape != Shape{w.shape[0]}) {
      refuse("input 'B' has shape " + to_string(bias.shape) + ", expected " +
             std::to_string(w.shape[0]));
    }
  }
  const Window window = window_of(call.attributes, x.shape, kernel, WindowUse::convolution);
  return result(x.dtype, output_shape(window, x.shape, w.shape[0]));
}

void evaluate_conv(const EvaluationCall& call) {
  if (call.outputs[0].count() == 0) return;
  const Window window = window_of(call.attributes, call.inputs[0].shape(),
                                  kernel_of(call.inputs[1].shape()), WindowUse::convolution);
  const TensorView x = with_height(call.inputs[0]);
  const TensorView w = with_height(call.inputs[1]);
  const TensorView y = with_height(call.outputs[0]);
  const bool biased = call.inputs.size() > 2 && call.inputs[2].present();
  const std::int64_t groups = call.attributes.integer("group");
  const std::int64_t kernels = w.dims[0] / groups;  // per group
  const std::int64_t channels = w.dims[1];
  std::vector<double> row(static_cast<std::size_t>(window.width.output));

  visit_floats(x.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    for (std::int64_t n = 0; n < y.dims[0]; ++n) {
      for (std::int64_t k = 0; k < y.dims[1]; ++k) {
        const TensorView in = sliced(selected(x, 0, n), 0, k / kernels * channels, channels);
        const TensorView taps = selected(w, 0, k);
        const TensorView out = selected(selected(y, 0, n), 0, k);
        const double bias =
            biased ? call.inputs[2].as<const T>()[k * call.inputs[2].strides[0]] : 0.0;
        for (std::int64_t line = 0; line < out.dims[0]; ++line) {
          std::fill(row.begin(), row.end(), bias);
          accumulate_row<T>(in, taps, window, line, row);
          T* to = out.as<T>() + line * out.strides[0];
          for (std::int64_t o = 0; o < out.dims[1]; ++o) {
            to[o * out.strides[1]] = static_cast<T>(row[o]);
          }
        }
      }
    }
  });
}

}  // namespace pdrt::reference
