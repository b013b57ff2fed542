// Operators that rearrange or repeat whole axes: Transpose, Expand and Tile.
#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "reference/checks.h"
#include "reference/reference.h"
#include "reference/views.h"

namespace pdrt::reference {
namespace {

// The order of axes; without one they are reversed.
std::vector<int> order_of(const Attributes& attributes, int rank) {
  const std::vector<std::int64_t>& perm = attributes.integers("perm");
  if (!perm.empty()) return axes_of(perm, rank, "attribute 'perm'");
  std::vector<int> order(static_cast<std::size_t>(rank));
  std::iota(order.rbegin(), order.rend(), 0);
  return order;
}

}  // namespace

Shapes infer_transpose(const InferenceCall& call) {
  const Known& x = input(call, 0, "data", kAll);
  const std::vector<int> order = order_of(call.attributes, static_cast<int>(x.shape.size()));
  if (order.size() != x.shape.size()) {
    refuse("attribute 'perm' has " + std::to_string(order.size()) + " axes, input 'data' has " +
           std::to_string(x.shape.size()));
  }
  Shape shape;
  for (const int axis : order) shape.push_back(x.shape[axis]);
  return result(x.dtype, shape);
}

void evaluate_transpose(const EvaluationCall& call) {
  const TensorView& in = call.inputs[0];
  copy(transposed(in, order_of(call.attributes, in.rank)), call.outputs[0]);
}

Shapes infer_expand(const InferenceCall& call) {
  const Known& x = input(call, 0, "input", kAll);
  const Shape wanted = known_integers(call, 1, "shape");
  for (const std::int64_t length : wanted) {
    if (length < 0) refuse("input 'shape' is " + to_string(wanted) + ", expected no negatives");
  }
  return result(x.dtype, broadcast_shape(x.shape, wanted));
}

void evaluate_expand(const EvaluationCall& call) {
  const TensorView& out = call.outputs[0];
  copy(broadcast(call.inputs[0], out), out);
}

Shapes infer_tile(const InferenceCall& call) {
  const Known& x = input(call, 0, "input", kAll);
  const std::vector<std::int64_t> repeats = known_integers(call, 1, "repeats");
  if (repeats.size() != x.shape.size()) {
    refuse("input 'repeats' has " + std::to_string(repeats.size()) + " values for the " +
           std::to_string(x.shape.size()) + " dimensions of " + to_string(x.shape));
  }
  Shape shape = x.shape;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (repeats[axis] < 0) {
      refuse("input 'repeats' is " + to_string(repeats) + ", expected no negatives");
    }
    checked(x.dtype, {shape[axis], repeats[axis]});  // before they are multiplied
    shape[axis] *= repeats[axis];
  }
  return result(x.dtype, shape);
}

// The first tile is the input; then the filled part is doubled along one axis after another.
void evaluate_tile(const EvaluationCall& call) {
  const TensorView& in = call.inputs[0];
  const TensorView& out = call.outputs[0];
  if (out.count() == 0) return;
  TensorView filled = out;
  for (int axis = 0; axis < in.rank; ++axis) filled.dims[axis] = in.dims[axis];
  copy(in, filled);
  for (int axis = 0; axis < in.rank; ++axis) {
    while (filled.dims[axis] < out.dims[axis]) {
      const std::int64_t done = filled.dims[axis];
      const std::int64_t more = std::min(done, out.dims[axis] - done);
      TensorView target = filled;
      target.dims[axis] = more;
      target = advanced(target, done * out.strides[axis]);
      copy(sliced(filled, axis, 0, more), target);
      filled.dims[axis] = done + more;
    }
  }
}

}  // namespace pdrt::reference
