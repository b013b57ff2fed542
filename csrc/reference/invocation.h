// What an operator is given: to infer the type and shape of its outputs, and to compute them.
#pragma once

#include <vector>

#include "pdrt/attributes.h"
#include "pdrt/tensor.h"

namespace pdrt::reference {

// One input as shape inference sees it. Shapes are concrete. `constant` has data where the value is
// known already.
struct Known {
  bool present = false;
  DType dtype = DType::f32;
  Shape shape;
  TensorView constant;
};

struct TypeAndShape {
  DType dtype = DType::f32;
  Shape shape;
};

struct InferenceCall {
  const Attributes& attributes;
  const std::vector<Known>& inputs;  // absent optional inputs are listed with present == false
  int outputs;                       // how many the node names
};

// Throws ModelError saying which input or attribute is wrong and why; the caller puts the node's
// name in front.
using Infer = std::vector<TypeAndShape> (*)(const InferenceCall&);

struct EvaluationCall {
  const Attributes& attributes;
  const std::vector<TensorView>& inputs;  // any strides; absent optional inputs have no data
  const std::vector<TensorView>&
      outputs;  // any strides; exactly the inferred types and shapes; unnamed ones have no data
};

// The naive reference: this is what the operator means. Floating-point sums accumulate in double.
using Evaluate = void (*)(const EvaluationCall&);

}  // namespace pdrt::reference
