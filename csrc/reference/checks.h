// What shape inference asks of inputs and attributes. Everything here throws a ModelError that
// names what is wrong.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "reference/invocation.h"

namespace pdrt::reference {

using Shapes = std::vector<TypeAndShape>;

// A set of element types.
class DTypes {
 public:
  constexpr DTypes(std::initializer_list<DType> dtypes) {
    for (const DType dtype : dtypes) bits_ |= 1U << static_cast<unsigned>(dtype);
  }
  constexpr bool has(DType dtype) const {
    return (bits_ >> static_cast<unsigned>(dtype) & 1U) != 0;
  }

 private:
  unsigned bits_ = 0;
};

constexpr DTypes kReals{DType::f32, DType::f64};
constexpr DTypes kSigned{DType::f32, DType::f64, DType::i32, DType::i64};
constexpr DTypes kNumbers{DType::f32, DType::f64, DType::i32, DType::i64, DType::u8};
constexpr DTypes kAll{DType::f32, DType::f64, DType::i32, DType::i64, DType::u8, DType::boolean};
constexpr DTypes kIndices{DType::i32, DType::i64};
constexpr DTypes kBoolean{DType::boolean};

[[noreturn]] void refuse(const std::string& sentence);

// ---- inputs, by position and by their name in ONNX

bool given(const InferenceCall& call, int index);
const Known& input(const InferenceCall& call, int index, const char* name, const DTypes& allowed);
// As above, and of the same element type as `other`.
const Known& input_like(const InferenceCall& call, int index, const char* name, const Known& other);
void require_rank(const Known& input, const char* name, int least, int most);
// The values of a constant integer input with at most one axis and at most `most` elements.
std::vector<std::int64_t> known_integers(const InferenceCall& call, int index, const char* name,
                                         std::int64_t most = kMaxRank);
// A constant input with exactly one element, in at most one axis.
TensorView known_scalar(const InferenceCall& call, int index, const char* name,
                        const DTypes& allowed);
// The same, its value.
std::int64_t known_integer(const InferenceCall& call, int index, const char* name);

// ---- axes

// Counts a negative axis from the end; `what` names it in the message. Allowed: [-rank, rank).
int axis_of(std::int64_t axis, int rank, const char* what = "axis");
// The same for a list without duplicates.
std::vector<int> axes_of(const std::vector<std::int64_t>& axes, int rank,
                         const char* what = "axes");

// ---- attributes

// The attribute, which must lie in [least, most].
std::int64_t bounded(const Attributes& attributes, const char* name, std::int64_t least,
                     std::int64_t most);
// The text attribute, which must be one of these.
const std::string& one_of(const Attributes& attributes, const char* name,
                          std::initializer_list<const char*> allowed);

// ---- outputs

Shape broadcast_shape(const Shape& a, const Shape& b);
// The input must broadcast to `shape` without changing it.
void require_broadcast(const Known& input, const char* name, const Shape& shape);
// One output; refuses shapes of too many axes or elements, so that no later multiplication of sizes
// can overflow.
Shapes result(DType dtype, Shape shape);
TypeAndShape checked(DType dtype, Shape shape);

}  // namespace pdrt::reference
