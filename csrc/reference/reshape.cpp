// Operators whose output has the input's elements in the same order, under another shape or the
// same.
#include <algorithm>
#include <string>
#include <vector>

#include "reference/checks.h"
#include "reference/reference.h"
#include "reference/views.h"
#include "reference/visit.h"

namespace pdrt::reference {
namespace {

std::int64_t product(Shape::const_iterator first, Shape::const_iterator last) {
  return count_of(Shape(first, last));
}

}  // namespace

void evaluate_same_elements(const EvaluationCall& call) {
  copy_in_order(call.inputs[0], call.outputs[0]);
}

Shapes infer_identity(const InferenceCall& call) {
  const Known& x = input(call, 0, "input", kAll);
  return result(x.dtype, x.shape);
}

// 0 copies the input's length (unless allowzero), -1 takes what is left.
Shapes infer_reshape(const InferenceCall& call) {
  const Known& x = input(call, 0, "data", kAll);
  const bool allow_zero = call.attributes.integer("allowzero") != 0;
  const Shape wanted = known_integers(call, 1, "shape");
  const std::string refusal =
      "cannot reshape " + to_string(x.shape) + " to " + to_string(wanted) + ": ";
  Shape shape = wanted;
  int free_axis = -1;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] < -1) refuse(refusal + "only -1 may be negative");
    if (shape[axis] == -1) {
      if (free_axis >= 0) refuse(refusal + "only one -1 is allowed");
      free_axis = static_cast<int>(axis);
      shape[axis] = 1;
    } else if (shape[axis] == 0 && !allow_zero) {
      if (axis >= x.shape.size()) {
        refuse(refusal + "the 0 at position " + std::to_string(axis) + " has nothing to copy");
      }
      shape[axis] = x.shape[axis];
    }
  }
  checked(x.dtype, shape);
  const std::int64_t count = count_of(x.shape);
  const std::int64_t rest = count_of(shape);
  if (free_axis >= 0) {
    if (rest == 0 || count % rest != 0) {
      refuse(refusal + std::to_string(count) + " elements do not divide by " +
             std::to_string(rest));
    }
    shape[free_axis] = count / rest;
  } else if (rest != count) {
    refuse(refusal + std::to_string(count) + " elements do not become " + std::to_string(rest));
  }
  return result(x.dtype, shape);
}

Shapes infer_flatten(const InferenceCall& call) {
  const Known& x = input(call, 0, "input", kAll);
  const auto rank = static_cast<std::int64_t>(x.shape.size());
  std::int64_t axis = call.attributes.integer("axis");
  if (axis < -rank || axis > rank) {
    refuse("axis " + std::to_string(axis) + " does not exist in " + std::to_string(rank) +
           " dimensions");
  }
  if (axis < 0) axis += rank;
  return result(x.dtype, {product(x.shape.begin(), x.shape.begin() + axis),
                          product(x.shape.begin() + axis, x.shape.end())});
}

Shapes infer_squeeze(const InferenceCall& call) {
  const Known& x = input(call, 0, "data", kAll);
  const int rank = static_cast<int>(x.shape.size());
  const bool listed = given(call, 1);
  const std::vector<int> axes =
      listed ? axes_of(known_integers(call, 1, "axes"), rank, "axes") : std::vector<int>{};
  Shape shape;
  for (int axis = 0; axis < rank; ++axis) {
    const bool named = std::find(axes.begin(), axes.end(), axis) != axes.end();
    if (named && x.shape[axis] != 1) {
      refuse("axes names dimension " + std::to_string(axis) + " of " + to_string(x.shape) +
             ", which is not 1");
    }
    if (!(listed ? named : x.shape[axis] == 1)) shape.push_back(x.shape[axis]);
  }
  return result(x.dtype, shape);
}

Shapes infer_unsqueeze(const InferenceCall& call) {
  const Known& x = input(call, 0, "data", kAll);
  const std::vector<std::int64_t> listed = known_integers(call, 1, "axes");
  const int rank = static_cast<int>(x.shape.size() + listed.size());
  std::vector<int> axes = axes_of(listed, rank, "axes");
  std::sort(axes.begin(), axes.end());
  Shape shape = x.shape;
  for (const int axis : axes) shape.insert(shape.begin() + axis, 1);
  return result(x.dtype, shape);
}

// Drops nothing: inference is not training.
Shapes infer_dropout(const InferenceCall& call) {
  const Known& x = input(call, 0, "data", kReals);
  if (given(call, 2)) {
    const Known& training = input(call, 2, "training_mode", kBoolean);
    if (training.constant.present() && *training.constant.as<const Boolean>()) {
      refuse("input 'training_mode' is true, but pdrt runs inference only");
    }
  }
  return result(x.dtype, x.shape);
}

}  // namespace pdrt::reference
