// MaxPool and AveragePool.
#include <limits>

#include "reference/arithmetic.h"
#include "reference/checks.h"
#include "reference/reference.h"
#include "reference/views.h"
#include "reference/visit.h"
#include "reference/window.h"

namespace pdrt::reference {
namespace {

Shapes infer_pool(const InferenceCall& call, const DTypes& allowed) {
  const Known& x = input(call, 0, "X", allowed);
  require_rank(x, "X", 3, 4);
  const Window window = window_of(call.attributes, x.shape,
                                  call.attributes.integers("kernel_shape"), WindowUse::pool);
  return result(x.dtype, output_shape(window, x.shape, x.shape[1]));
}

Window pool_window(const EvaluationCall& call) {
  return window_of(call.attributes, call.inputs[0].shape(),
                   call.attributes.integers("kernel_shape"), WindowUse::pool);
}

// For every window (i, j) of every plane: a fresh Pool takes the pixels under its taps, then
// finish(pool, i, j) is stored. Padding is not among the pixels.
template <typename T, typename Pool, typename Finish>
void pool(const EvaluationCall& call, const Window& window, Pool start, Finish finish) {
  if (call.outputs[0].count() == 0) return;
  const TensorView x = with_height(call.inputs[0]);
  const TensorView y = with_height(call.outputs[0]);
  const auto window_at = [&](const T* plane, std::int64_t i, std::int64_t j) {
    Pool pooled = start;
    const Taps rows = window.height.inside(i);
    const Taps columns = window.width.inside(j);
    for (std::int64_t r = rows.first; r < rows.last; ++r) {
      const std::int64_t line = window.height.start(i) + r * window.height.dilation;
      for (std::int64_t s = columns.first; s < columns.last; ++s) {
        const std::int64_t column = window.width.start(j) + s * window.width.dilation;
        pooled.take(plane[line * x.strides[2] + column * x.strides[3]]);
      }
    }
    return finish(pooled, i, j);
  };
  for (std::int64_t n = 0; n < y.dims[0]; ++n) {
    for (std::int64_t c = 0; c < y.dims[1]; ++c) {
      const T* in = x.as<const T>() + n * x.strides[0] + c * x.strides[1];
      T* out = y.as<T>() + n * y.strides[0] + c * y.strides[1];
      for (std::int64_t i = 0; i < y.dims[2]; ++i) {
        for (std::int64_t j = 0; j < y.dims[3]; ++j) {
          out[i * y.strides[2] + j * y.strides[3]] = window_at(in, i, j);
        }
      }
    }
  }
}

template <typename T>
struct Largest {
  T value = is_real<T> ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
  void take(T x) { value = maximum(value, x); }
};

struct Total {
  double sum = 0;
  std::int64_t pixels = 0;
  template <typename T>
  void take(T x) {
    sum += static_cast<double>(x);
    ++pixels;
  }
};

}  // namespace

Shapes infer_max_pool(const InferenceCall& call) {
  return infer_pool(call, {DType::f32, DType::f64, DType::u8});
}

void evaluate_max_pool(const EvaluationCall& call) {
  visit_numbers(call.inputs[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    pool<T>(call, pool_window(call), Largest<T>{},
            [](const Largest<T>& largest, std::int64_t, std::int64_t) { return largest.value; });
  });
}

Shapes infer_average_pool(const InferenceCall& call) { return infer_pool(call, kReals); }

// Divides by the taps on the input, or with count_include_pad also by those on its padding. Where a
// dilated window has all its taps on padding there is nothing to average and the result is 0.
void evaluate_average_pool(const EvaluationCall& call) {
  const Window window = pool_window(call);
  const bool include_pad = call.attributes.integer("count_include_pad") != 0;
  const auto area = [&](std::int64_t i, std::int64_t j) {
    const Taps rows = window.height.inside_padded(i);
    const Taps columns = window.width.inside_padded(j);
    return (rows.last - rows.first) * (columns.last - columns.first);
  };
  visit_floats(call.inputs[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    pool<T>(call, window, Total{}, [&](const Total& total, std::int64_t i, std::int64_t j) {
      const std::int64_t divisor = include_pad ? area(i, j) : total.pixels;
      return divisor == 0 ? T(0) : static_cast<T>(total.sum / static_cast<double>(divisor));
    });
  });
}

}  // namespace pdrt::reference
