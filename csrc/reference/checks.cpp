#include "reference/checks.h"

#include <algorithm>
#include <string_view>

#include "pdrt/error.h"
#include "reference/views.h"

namespace pdrt::reference {
namespace {

// 2^36 elements: more than any feature map, and far enough from overflow for sizes in bytes and for
// strides.
constexpr std::int64_t kMaxElements = std::int64_t{1} << 36;

std::string names_of(const DTypes& dtypes) {
  std::string names;
  for (const DType dtype :
       {DType::f32, DType::f64, DType::i32, DType::i64, DType::u8, DType::boolean}) {
    if (!dtypes.has(dtype)) continue;
    if (!names.empty()) names += ", ";
    names += name_of(dtype);
  }
  return names;
}

std::string quoted(const char* name) { return "input '" + std::string(name) + "'"; }

void require_known(const Known& known, const char* name) {
  if (known.constant.present()) return;
  refuse("the " + std::string(name) + " input must be known when the plan is made");
}

}  // namespace

void refuse(const std::string& sentence) { throw ModelError(sentence); }

bool given(const InferenceCall& call, int index) {
  return static_cast<std::size_t>(index) < call.inputs.size() && call.inputs[index].present;
}

const Known& input(const InferenceCall& call, int index, const char* name, const DTypes& allowed) {
  if (!given(call, index)) refuse(quoted(name) + " is missing");
  const Known& known = call.inputs[index];
  if (!allowed.has(known.dtype)) {
    refuse(quoted(name) + " is " + name_of(known.dtype) + ", expected " + names_of(allowed));
  }
  return known;
}

const Known& input_like(const InferenceCall& call, int index, const char* name,
                        const Known& other) {
  return input(call, index, name, DTypes{other.dtype});
}

void require_rank(const Known& input, const char* name, int least, int most) {
  const int rank = static_cast<int>(input.shape.size());
  if (rank >= least && rank <= most) return;
  std::string expected = std::to_string(least);
  if (most >= kMaxRank) expected = "at least " + expected;
  if (most < kMaxRank && most > least) expected += " to " + std::to_string(most);
  refuse(quoted(name) + " has shape " + to_string(input.shape) + ", which is " +
         std::to_string(rank) + " dimensions, expected " + expected);
}

std::vector<std::int64_t> known_integers(const InferenceCall& call, int index, const char* name,
                                         std::int64_t most) {
  const Known& known = input(call, index, name, kIndices);
  require_rank(known, name, 0, 1);
  const std::int64_t count = count_of(known.shape);
  if (count > most) {
    refuse(quoted(name) + " has " + std::to_string(count) + " values, expected at most " +
           std::to_string(most));
  }
  if (count == 0) return {};
  require_known(known, name);
  return integers_of(known.constant);
}

TensorView known_scalar(const InferenceCall& call, int index, const char* name,
                        const DTypes& allowed) {
  const Known& known = input(call, index, name, allowed);
  if (known.shape.size() > 1 || count_of(known.shape) != 1) {
    refuse(quoted(name) + " has shape " + to_string(known.shape) + ", expected one value");
  }
  require_known(known, name);
  return known.constant;
}

std::int64_t known_integer(const InferenceCall& call, int index, const char* name) {
  return integers_of(known_scalar(call, index, name, kIndices))[0];
}

int axis_of(std::int64_t axis, int rank, const char* what) {
  if (axis < -rank || axis >= rank) {
    refuse(std::string(what) + " " + std::to_string(axis) + " does not exist in " +
           std::to_string(rank) + " dimensions");
  }
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

std::vector<int> axes_of(const std::vector<std::int64_t>& axes, int rank, const char* what) {
  std::vector<int> result;
  for (const std::int64_t axis : axes) {
    result.push_back(axis_of(axis, rank, what));
    if (std::count(result.begin(), result.end(), result.back()) > 1) {
      refuse(std::string(what) + " names dimension " + std::to_string(result.back()) + " twice");
    }
  }
  return result;
}

std::int64_t bounded(const Attributes& attributes, const char* name, std::int64_t least,
                     std::int64_t most) {
  const std::int64_t value = attributes.integer(name);
  if (value < least || value > most) {
    refuse("attribute '" + std::string(name) + "' is " + std::to_string(value) + ", expected " +
           std::to_string(least) + " to " + std::to_string(most));
  }
  return value;
}

const std::string& one_of(const Attributes& attributes, const char* name,
                          std::initializer_list<const char*> allowed) {
  const std::string& value = attributes.text(name);
  std::string names;
  for (const char* candidate : allowed) {
    if (value == candidate) return value;
    if (!names.empty()) names += ", ";
    names += candidate;
  }
  refuse("attribute '" + std::string(name) + "' is '" + value + "', expected one of " + names);
}

Shape broadcast_shape(const Shape& a, const Shape& b) {
  const Shape& longer = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  Shape result = longer;
  const std::size_t missing = longer.size() - shorter.size();
  for (std::size_t axis = 0; axis < shorter.size(); ++axis) {
    std::int64_t& length = result[missing + axis];
    if (length == 1) {
      length = shorter[axis];
    } else if (shorter[axis] != 1 && shorter[axis] != length) {
      refuse("shapes " + to_string(a) + " and " + to_string(b) + " do not broadcast");
    }
  }
  return result;
}

void require_broadcast(const Known& input, const char* name, const Shape& shape) {
  const std::size_t rank = input.shape.size();
  bool fits = rank <= shape.size();
  for (std::size_t axis = 0; fits && axis < rank; ++axis) {
    fits = input.shape[axis] == 1 || input.shape[axis] == shape[shape.size() - rank + axis];
  }
  if (!fits) {
    refuse(quoted(name) + " has shape " + to_string(input.shape) +
           ", which does not broadcast to " + to_string(shape));
  }
}

TypeAndShape checked(DType dtype, Shape shape) {
  if (shape.size() > static_cast<std::size_t>(kMaxRank)) {
    refuse("the output would have " + std::to_string(shape.size()) +
           " dimensions, pdrt takes at most " + std::to_string(kMaxRank));
  }
  std::int64_t nonzero =
      1;  // the product without the zeros: strides of empty tensors must not overflow either
  for (const std::int64_t length : shape) {
    if (length < 0) refuse("the output would have a negative dimension: " + to_string(shape));
    if (length > 0 && nonzero > kMaxElements / length) {
      refuse("the output would have shape " + to_string(shape) + ", more than 2^36 elements");
    }
    if (length > 0) nonzero *= length;
  }
  return TypeAndShape{dtype, std::move(shape)};
}

Shapes result(DType dtype, Shape shape) { return {checked(dtype, std::move(shape))}; }

}  // namespace pdrt::reference
