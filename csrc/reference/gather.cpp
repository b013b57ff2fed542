// Reading and writing at positions that are data: Gather, GatherElements, ScatterElements and
// OneHot. A negative index counts from the end; one that does not exist is refused, at plan time
// where the indices are known.
#include <string>
#include <vector>

#include "pdrt/error.h"
#include "reference/arithmetic.h"
#include "reference/checks.h"
#include "reference/iterate.h"
#include "reference/reference.h"
#include "reference/visit.h"

namespace pdrt::reference {
namespace {

// Throws an `Error` where an index does not lie in [-length, length).
template <typename Error>
void check_indices(const TensorView& indices, std::int64_t length) {
  visit_integers(indices.dtype, [&](auto type) {
    using I = typename decltype(type)::type;
    Rows<1>({indices}).each([&](const PerView<1>& offset) {
      const auto index = static_cast<std::int64_t>(indices.as<const I>()[offset[0]]);
      if (index >= -length && index < length) return;
      throw Error("input 'indices' holds " + std::to_string(index) + ", but the axis has length " +
                  std::to_string(length));
    });
  });
}

template <typename I>
std::int64_t wrapped(I index, std::int64_t length) {
  const auto wide = static_cast<std::int64_t>(index);
  return wide < 0 ? wide + length : wide;
}

int data_axis(const Attributes& attributes, const Known& data) {
  require_rank(data, "data", 1, kMaxRank);
  return axis_of(attributes.integer("axis"), static_cast<int>(data.shape.size()));
}

const Known& indices_input(const InferenceCall& call, std::int64_t length) {
  const Known& indices = input(call, 1, "indices", kIndices);
  if (indices.constant.present()) check_indices<ModelError>(indices.constant, length);
  return indices;
}

// For GatherElements and ScatterElements: indices address one axis and agree with the data, or are
// shorter, in the others.
const Known& element_indices(const InferenceCall& call, const Known& data, int axis) {
  const Known& indices = indices_input(call, data.shape[axis]);
  bool fits = indices.shape.size() == data.shape.size();
  for (std::size_t d = 0; fits && d < data.shape.size(); ++d) {
    fits = static_cast<int>(d) == axis || indices.shape[d] <= data.shape[d];
  }
  if (!fits) {
    refuse("input 'indices' has shape " + to_string(indices.shape) + ", which does not fit " +
           to_string(data.shape) + " along axis " + std::to_string(axis));
  }
  return indices;
}

// The data under the index space of `indices`: the addressed axis stands still, an index moves
// along it.
TensorView addressed(TensorView data, const TensorView& indices, int axis) {
  data.dims = indices.dims;
  data.strides[axis] = 0;
  return data;
}

// element = f(old element, update) wherever the indices point, in row-major order: of several, the
// last wins.
template <typename T, typename F>
void scatter(const EvaluationCall& call, int axis, F f) {
  const TensorView& indices = call.inputs[1];
  const TensorView& updates = call.inputs[2];
  const TensorView& out = call.outputs[0];
  visit_integers(indices.dtype, [&](auto index_type) {
    using I = typename decltype(index_type)::type;
    Rows<3>({indices, updates, addressed(out, indices, axis)}).each([&](const PerView<3>& offset) {
      const std::int64_t index = wrapped(indices.as<const I>()[offset[0]], out.dims[axis]);
      T& element = out.as<T>()[offset[2] + index * out.strides[axis]];
      element = f(element, updates.as<const T>()[offset[1]]);
    });
  });
}

}  // namespace

Shapes infer_gather(const InferenceCall& call) {
  const Known& data = input(call, 0, "data", kAll);
  const int axis = data_axis(call.attributes, data);
  const Known& indices = indices_input(call, data.shape[axis]);
  Shape shape = data.shape;
  shape.erase(shape.begin() + axis);
  shape.insert(shape.begin() + axis, indices.shape.begin(), indices.shape.end());
  return result(data.dtype, shape);
}

void evaluate_gather(const EvaluationCall& call) {
  const TensorView& data = call.inputs[0];
  const TensorView& indices = call.inputs[1];
  const TensorView& out = call.outputs[0];
  const int axis = axis_of(call.attributes.integer("axis"), data.rank);
  const std::int64_t length = data.dims[axis];
  check_indices<InputError>(indices, length);
  // The output's axes that stand in place of the gathered one, and the others.
  std::vector<int> chosen;
  std::vector<int> copied;
  for (int d = 0; d < out.rank; ++d) {
    (d >= axis && d < axis + indices.rank ? chosen : copied).push_back(d);
  }
  const TensorView positions = transposed(out, chosen);
  const TensorView slab = transposed(out, copied);
  visit_integers(indices.dtype, [&](auto type) {
    using I = typename decltype(type)::type;
    Rows<2>({indices, positions}).each([&](const PerView<2>& offset) {
      const std::int64_t index = wrapped(indices.as<const I>()[offset[0]], length);
      copy(selected(data, axis, index), advanced(slab, offset[1]));
    });
  });
}

Shapes infer_gather_elements(const InferenceCall& call) {
  const Known& data = input(call, 0, "data", kAll);
  const int axis = data_axis(call.attributes, data);
  return result(data.dtype, element_indices(call, data, axis).shape);
}

void evaluate_gather_elements(const EvaluationCall& call) {
  const TensorView& data = call.inputs[0];
  const TensorView& indices = call.inputs[1];
  const TensorView& out = call.outputs[0];
  const int axis = axis_of(call.attributes.integer("axis"), data.rank);
  const std::int64_t length = data.dims[axis];
  check_indices<InputError>(indices, length);
  visit_sizes(data.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    visit_integers(indices.dtype, [&](auto index_type) {
      using I = typename decltype(index_type)::type;
      Rows<3>({indices, addressed(data, indices, axis), out}).each([&](const PerView<3>& offset) {
        const std::int64_t index = wrapped(indices.as<const I>()[offset[0]], length);
        out.as<T>()[offset[2]] = data.as<const T>()[offset[1] + index * data.strides[axis]];
      });
    });
  });
}

Shapes infer_scatter_elements(const InferenceCall& call) {
  const Known& data = input(call, 0, "data", kAll);
  const int axis = data_axis(call.attributes, data);
  const Known& indices = element_indices(call, data, axis);
  const Known& updates = input_like(call, 2, "updates", data);
  if (updates.shape != indices.shape) {
    refuse("input 'updates' has shape " + to_string(updates.shape) + ", expected that of " +
           "'indices', " + to_string(indices.shape));
  }
  const std::string& reduction =
      one_of(call.attributes, "reduction", {"none", "add", "mul", "max", "min"});
  if (reduction != "none" && data.dtype == DType::boolean) {
    refuse("input 'data' is bool, which has no reduction '" + reduction + "'");
  }
  return result(data.dtype, data.shape);
}

void evaluate_scatter_elements(const EvaluationCall& call) {
  const TensorView& out = call.outputs[0];
  const int axis = axis_of(call.attributes.integer("axis"), out.rank);
  const std::string& reduction = call.attributes.text("reduction");
  check_indices<InputError>(call.inputs[1], out.dims[axis]);
  copy(call.inputs[0], out);
  if (reduction == "none") {
    return visit_sizes(out.dtype, [&](auto type) {
      using T = typename decltype(type)::type;
      scatter<T>(call, axis, [](T, T update) { return update; });
    });
  }
  visit_numbers(out.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    if (reduction == "add") scatter<T>(call, axis, [](T a, T b) { return add(a, b); });
    if (reduction == "mul") scatter<T>(call, axis, [](T a, T b) { return multiply(a, b); });
    if (reduction == "max") scatter<T>(call, axis, [](T a, T b) { return maximum(a, b); });
    if (reduction == "min") scatter<T>(call, axis, [](T a, T b) { return minimum(a, b); });
  });
}

Shapes infer_one_hot(const InferenceCall& call) {
  const Known& indices = input(call, 0, "indices", kNumbers);
  const Known& values = input(call, 2, "values", kAll);
  if (values.shape != Shape{2}) {
    refuse("input 'values' has shape " + to_string(values.shape) +
           ", expected 2 numbers: [off, on]");
  }
  std::int64_t depth = 0;
  const TensorView given_depth = known_scalar(call, 1, "depth", kNumbers);
  visit_numbers(given_depth.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    depth = convert<std::int64_t>(*given_depth.as<const T>());
  });
  if (depth < 1) refuse("input 'depth' is " + std::to_string(depth) + ", expected at least 1");
  const int rank = static_cast<int>(indices.shape.size()) + 1;
  Shape shape = indices.shape;
  shape.insert(shape.begin() + axis_of(call.attributes.integer("axis"), rank), depth);
  return result(values.dtype, shape);
}

// An index outside [-depth, depth) has no `on` anywhere.
void evaluate_one_hot(const EvaluationCall& call) {
  const TensorView& indices = call.inputs[0];
  const TensorView& values = call.inputs[2];
  const TensorView& out = call.outputs[0];
  const int axis = axis_of(call.attributes.integer("axis"), out.rank);
  const std::int64_t depth = out.dims[axis];
  visit_sizes(values.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    fill(out, values.as<const T>()[0]);
    const T on = values.as<const T>()[values.strides[0]];
    visit_numbers(indices.dtype, [&](auto index_type) {
      using I = typename decltype(index_type)::type;
      Rows<2>({indices, without_axis(out, axis)}).each([&](const PerView<2>& offset) {
        const std::int64_t index =
            wrapped(convert<std::int64_t>(indices.as<const I>()[offset[0]]), depth);
        if (index < 0 || index >= depth) return;
        out.as<T>()[offset[1] + index * out.strides[axis]] = on;
      });
    });
  });
}

}  // namespace pdrt::reference
