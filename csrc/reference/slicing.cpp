// Parts of tensors: Slice, Split and Concat.
#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "reference/checks.h"
#include "reference/reference.h"
#include "reference/views.h"

namespace pdrt::reference {
namespace {

struct Range {
  std::int64_t begin = 0;
  std::int64_t count = 0;
  std::int64_t step = 1;
};

// Entries start, start + step, ... before `end`; negative positions count from the end of `length`,
// and both are clamped.
Range resolve(std::int64_t start, std::int64_t end, std::int64_t step, std::int64_t length) {
  if (step == 0) refuse("input 'steps' holds 0");
  // A longer step than this leaves one entry too, and cannot overflow.
  step = std::clamp(step, -length - 1, length + 1);
  if (start < 0) start += length;
  if (end < 0) end += length;
  Range range;
  range.step = step;
  if (step > 0) {
    start = std::clamp<std::int64_t>(start, 0, length);
    end = std::clamp<std::int64_t>(end, 0, length);
    range.count = end > start ? (end - start + step - 1) / step : 0;
  } else {
    start = std::clamp<std::int64_t>(start, 0, std::max<std::int64_t>(length - 1, 0));
    end = std::clamp<std::int64_t>(end, -1, length - 1);
    range.count = start > end && length > 0 ? (start - end - step - 1) / -step : 0;
  }
  range.begin = start;
  return range;
}

// One range for each axis of `shape`. No axes mean the first ones, no steps mean 1.
std::vector<Range> resolve_all(const Shape& shape, const std::vector<std::int64_t>& starts,
                               const std::vector<std::int64_t>& ends,
                               const std::vector<std::int64_t>* axes,
                               const std::vector<std::int64_t>* steps) {
  const std::size_t count = starts.size();
  if (ends.size() != count || (axes != nullptr && axes->size() != count) ||
      (steps != nullptr && steps->size() != count)) {
    refuse("inputs 'starts', 'ends', 'axes' and 'steps' have different lengths");
  }
  std::vector<std::int64_t> listed(count);
  std::iota(listed.begin(), listed.end(), 0);
  const std::vector<int> where =
      axes_of(axes != nullptr ? *axes : listed, static_cast<int>(shape.size()), "input 'axes'");
  std::vector<Range> ranges;
  for (const std::int64_t length : shape) ranges.push_back(Range{0, length, 1});
  for (std::size_t i = 0; i < count; ++i) {
    ranges[where[i]] =
        resolve(starts[i], ends[i], steps != nullptr ? (*steps)[i] : 1, shape[where[i]]);
  }
  return ranges;
}

std::vector<std::int64_t> split_sizes(const InferenceCall& call, std::int64_t length) {
  const std::int64_t count = call.outputs;
  const std::int64_t declared = call.attributes.integer("num_outputs");
  if (declared != 0 && declared != count) {
    refuse("attribute 'num_outputs' is " + std::to_string(declared) + ", but the node has " +
           std::to_string(count) + " outputs");
  }
  if (given(call, 1)) {
    if (declared != 0) refuse("attribute 'num_outputs' and input 'split' exclude each other");
    std::vector<std::int64_t> sizes = known_integers(call, 1, "split", count);
    std::int64_t left = length;
    for (const std::int64_t size : sizes) {
      if (size < 0 || size > left) left = -1;
      if (left >= 0) left -= size;
    }
    if (left != 0 || static_cast<std::int64_t>(sizes.size()) != count) {
      refuse("input 'split' is " + to_string(sizes) + ", expected " + std::to_string(count) +
             " lengths that add up to " + std::to_string(length));
    }
    return sizes;
  }
  // Equal parts; where they do not come out even, the last is shorter.
  const std::int64_t part = (length + count - 1) / count;
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(count), part);
  sizes.back() = length - part * (count - 1);
  if (sizes.back() < 0) {
    refuse("length " + std::to_string(length) + " cannot be split into " + std::to_string(count) +
           " parts of " + std::to_string(part));
  }
  return sizes;
}

}  // namespace

Shapes infer_slice(const InferenceCall& call) {
  const Known& x = input(call, 0, "data", kAll);
  const auto starts = known_integers(call, 1, "starts");
  const auto ends = known_integers(call, 2, "ends");
  std::vector<std::int64_t> axes;
  std::vector<std::int64_t> steps;
  if (given(call, 3)) axes = known_integers(call, 3, "axes");
  if (given(call, 4)) steps = known_integers(call, 4, "steps");
  const std::vector<Range> ranges = resolve_all(
      x.shape, starts, ends, given(call, 3) ? &axes : nullptr, given(call, 4) ? &steps : nullptr);
  Shape shape;
  for (const Range& range : ranges) shape.push_back(range.count);
  return result(x.dtype, shape);
}

void evaluate_slice(const EvaluationCall& call) {
  const auto has = [&](std::size_t i) {
    return i < call.inputs.size() && call.inputs[i].present();
  };
  std::vector<std::int64_t> axes;
  std::vector<std::int64_t> steps;
  if (has(3)) axes = integers_of(call.inputs[3]);
  if (has(4)) steps = integers_of(call.inputs[4]);
  TensorView view = call.inputs[0];
  const std::vector<Range> ranges =
      resolve_all(view.shape(), integers_of(call.inputs[1]), integers_of(call.inputs[2]),
                  has(3) ? &axes : nullptr, has(4) ? &steps : nullptr);
  for (int axis = 0; axis < view.rank; ++axis) {
    view = sliced(view, axis, ranges[axis].begin, ranges[axis].count, ranges[axis].step);
  }
  copy(view, call.outputs[0]);
}

Shapes infer_split(const InferenceCall& call) {
  const Known& x = input(call, 0, "input", kAll);
  require_rank(x, "input", 1, kMaxRank);
  const int axis = axis_of(call.attributes.integer("axis"), static_cast<int>(x.shape.size()));
  Shapes shapes;
  for (const std::int64_t size : split_sizes(call, x.shape[axis])) {
    Shape shape = x.shape;
    shape[axis] = size;
    shapes.push_back(checked(x.dtype, shape));
  }
  return shapes;
}

void evaluate_split(const EvaluationCall& call) {
  const TensorView& in = call.inputs[0];
  const int axis = axis_of(call.attributes.integer("axis"), in.rank);
  std::int64_t begin = 0;
  for (const TensorView& out : call.outputs) {
    if (out.present()) copy(sliced(in, axis, begin, out.dims[axis]), out);
    begin += out.dims[axis];
  }
}

Shapes infer_concat(const InferenceCall& call) {
  const Known& first = input(call, 0, "inputs[0]", kAll);
  require_rank(first, "inputs[0]", 1, kMaxRank);
  const int axis = axis_of(call.attributes.integer("axis"), static_cast<int>(first.shape.size()));
  Shape shape = first.shape;
  for (std::size_t i = 1; i < call.inputs.size(); ++i) {
    const std::string name = "inputs[" + std::to_string(i) + "]";
    const Known& next = input_like(call, static_cast<int>(i), name.c_str(), first);
    Shape expected = first.shape;
    if (next.shape.size() == expected.size()) expected[axis] = next.shape[axis];
    if (next.shape != expected) {
      refuse("input '" + name + "' has shape " + to_string(next.shape) +
             ", which does not go with " + to_string(first.shape) + " along axis " +
             std::to_string(axis));
    }
    shape[axis] += next.shape[axis];
    checked(first.dtype, shape);
  }
  return result(first.dtype, shape);
}

void evaluate_concat(const EvaluationCall& call) {
  const TensorView& out = call.outputs[0];
  const int axis = axis_of(call.attributes.integer("axis"), out.rank);
  std::int64_t begin = 0;
  for (const TensorView& in : call.inputs) {
    copy(in, sliced(out, axis, begin, in.dims[axis]));
    begin += in.dims[axis];
  }
}

}  // namespace pdrt::reference
