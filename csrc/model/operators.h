// The operator table: every operator pdrt knows, one row each. See operators.cpp.
#pragma once

#include <string_view>
#include <vector>

#include "pdrt/attributes.h"
#include "reference/invocation.h"

namespace pdrt {

enum class AttributeType { integer, real, text, integers, reals };

struct AttributeSpec {
  std::string_view name;
  AttributeType type;
  Attribute fallback;
  bool required = false;
};

struct Operator {
  // ONNX's; the meaning is that of its newest opset, but for what docs/operators.md lists.
  std::string_view name;
  int min_inputs = 0;
  int max_inputs = 0;  // -1: any number
  int min_outputs = 1;
  int max_outputs = 1;
  std::vector<AttributeSpec> attributes;
  reference::Infer infer = nullptr;
  reference::Evaluate evaluate = nullptr;
};

// All of them, sorted by name.
const std::vector<Operator>& operators();
// nullptr where there is none of that name.
const Operator* find_operator(std::string_view name);

}  // namespace pdrt
