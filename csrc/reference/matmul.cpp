// MatMul and Gemm.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "reference/arithmetic.h"
#include "reference/checks.h"
#include "reference/iterate.h"
#include "reference/reference.h"
#include "reference/visit.h"

namespace pdrt::reference {
namespace {

// store(m, n, sum over k of a[m][k] * b[k][n])
template <typename T, typename Store>
void multiply_matrices(const TensorView& a, const TensorView& b, std::vector<Sum<T>>& sums,
                       Store store) {
  sums.resize(static_cast<std::size_t>(b.dims[1]));
  for (std::int64_t m = 0; m < a.dims[0]; ++m) {
    std::fill(sums.begin(), sums.end(), Sum<T>(0));
    for (std::int64_t k = 0; k < b.dims[0]; ++k) {
      const auto factor = static_cast<Sum<T>>(a.as<const T>()[m * a.strides[0] + k * a.strides[1]]);
      const T* row = b.as<const T>() + k * b.strides[0];
      for (std::int64_t n = 0; n < b.dims[1]; ++n) {
        sums[n] += factor * static_cast<Sum<T>>(row[n * b.strides[1]]);
      }
    }
    for (std::int64_t n = 0; n < b.dims[1]; ++n) store(m, n, sums[n]);
  }
}

// The last two axes alone, beginning `offset` elements into the view.
TensorView matrix_at(const TensorView& view, std::int64_t offset) {
  TensorView matrix = advanced(view, offset);
  while (matrix.rank > 2) matrix = without_axis(matrix, 0);
  return matrix;
}

// All but the last two axes.
TensorView batch_of(const TensorView& view) {
  return without_axis(without_axis(view, view.rank - 1), view.rank - 2);
}

TensorView matrix_of_gemm(const TensorView& view, bool transpose) {
  return transpose ? transposed(view, {1, 0}) : view;
}

}  // namespace

// A vector on the left is a row and on the right a column, as in numpy; the ones are not part of
// the result.
Shapes infer_matmul(const InferenceCall& call) {
  const Known& a = input(call, 0, "A", kSigned);
  const Known& b = input_like(call, 1, "B", a);
  require_rank(a, "A", 1, kMaxRank);
  require_rank(b, "B", 1, kMaxRank);
  Shape left = a.shape;
  Shape right = b.shape;
  if (a.shape.size() == 1) left.insert(left.begin(), 1);
  if (b.shape.size() == 1) right.push_back(1);
  if (left.back() != right[right.size() - 2]) {
    refuse("shapes " + to_string(a.shape) + " and " + to_string(b.shape) +
           " do not multiply: " + std::to_string(left.back()) + " columns and " +
           std::to_string(right[right.size() - 2]) + " rows");
  }
  Shape shape =
      broadcast_shape(Shape(left.begin(), left.end() - 2), Shape(right.begin(), right.end() - 2));
  if (a.shape.size() > 1) shape.push_back(left[left.size() - 2]);
  if (b.shape.size() > 1) shape.push_back(right.back());
  return result(a.dtype, shape);
}

void evaluate_matmul(const EvaluationCall& call) {
  if (call.outputs[0].count() == 0) return;
  TensorView a = call.inputs[0];
  TensorView b = call.inputs[1];
  TensorView y = call.outputs[0];
  if (b.rank == 1) {
    b = with_axis(b, 1);
    y = with_axis(y, y.rank);
  }
  if (a.rank == 1) {
    a = with_axis(a, 0);
    y = with_axis(y, y.rank - 1);
  }
  const TensorView batch = batch_of(y);
  visit_numbers(a.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    std::vector<Sum<T>> sums;
    Rows<3>({broadcast(batch_of(a), batch), broadcast(batch_of(b), batch), batch})
        .each([&](const PerView<3>& offset) {
          const TensorView out = matrix_at(y, offset[2]);
          multiply_matrices<T>(matrix_at(a, offset[0]), matrix_at(b, offset[1]), sums,
                               [&](std::int64_t m, std::int64_t n, Sum<T> sum) {
                                 out.as<T>()[m * out.strides[0] + n * out.strides[1]] =
                                     static_cast<T>(sum);
                               });
        });
  });
}

Shapes infer_gemm(const InferenceCall& call) {
  const Known& a = input(call, 0, "A", kReals);
  const Known& b = input_like(call, 1, "B", a);
  require_rank(a, "A", 2, 2);
  require_rank(b, "B", 2, 2);
  Shape left = a.shape;
  Shape right = b.shape;
  if (call.attributes.integer("transA") != 0) std::swap(left[0], left[1]);
  if (call.attributes.integer("transB") != 0) std::swap(right[0], right[1]);
  if (left[1] != right[0]) {
    refuse("shapes " + to_string(left) + " and " + to_string(right) +
           " (after transA and transB) do not multiply");
  }
  const Shape shape{left[0], right[1]};
  if (given(call, 2)) require_broadcast(input_like(call, 2, "C", a), "C", shape);
  return result(a.dtype, shape);
}

void evaluate_gemm(const EvaluationCall& call) {
  if (call.outputs[0].count() == 0) return;
  const TensorView a = matrix_of_gemm(call.inputs[0], call.attributes.integer("transA") != 0);
  const TensorView b = matrix_of_gemm(call.inputs[1], call.attributes.integer("transB") != 0);
  const TensorView& y = call.outputs[0];
  const double alpha = call.attributes.real("alpha");
  const double beta = call.attributes.real("beta");
  const bool biased = call.inputs.size() > 2 && call.inputs[2].present();
  const TensorView c = biased ? broadcast(call.inputs[2], y) : TensorView();
  visit_floats(y.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    std::vector<double> sums;
    multiply_matrices<T>(a, b, sums, [&](std::int64_t m, std::int64_t n, double sum) {
      double value = alpha * sum;
      if (biased) {
        value += beta * static_cast<double>(c.as<const T>()[m * c.strides[0] + n * c.strides[1]]);
      }
      y.as<T>()[m * y.strides[0] + n * y.strides[1]] = static_cast<T>(value);
    });
  });
}

}  // namespace pdrt::reference
