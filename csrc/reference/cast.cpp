// Cast.
#include <string>

#include "reference/arithmetic.h"
#include "reference/checks.h"
#include "reference/iterate.h"
#include "reference/reference.h"
#include "reference/visit.h"

namespace pdrt::reference {
namespace {

// The attribute holds ONNX's number of the type.
DType target_of(const Attributes& attributes) {
  switch (attributes.integer("to")) {
    case 1:
      return DType::f32;
    case 2:
      return DType::u8;
    case 6:
      return DType::i32;
    case 7:
      return DType::i64;
    case 9:
      return DType::boolean;
    case 11:
      return DType::f64;
    default:
      break;
  }
  refuse("attribute 'to' is " + std::to_string(attributes.integer("to")) +
         ", expected 1 (float32), 2 (uint8), 6 (int32), 7 (int64), 9 (bool) or 11 (float64)");
}

}  // namespace

Shapes infer_cast(const InferenceCall& call) {
  return result(target_of(call.attributes), input(call, 0, "input", kAll).shape);
}

void evaluate_cast(const EvaluationCall& call) {
  visit_all(call.inputs[0].dtype, [&](auto from_type) {
    using From = typename decltype(from_type)::type;
    visit_all(call.outputs[0].dtype, [&](auto to_type) {
      using To = typename decltype(to_type)::type;
      map<From, To>(call.inputs[0], call.outputs[0], [](From x) { return convert<To>(x); });
    });
  });
}

}  // namespace pdrt::reference
