// The graph behind a Model: values and nodes, by index, validated, in an order that can be run.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/operators.h"
#include "pdrt/attributes.h"
#include "pdrt/model.h"
#include "pdrt/tensor.h"

namespace pdrt {

// Index into Graph::values; kAbsent marks an optional input or output that is not there.
using ValueId = int;
constexpr ValueId kAbsent = -1;

struct GraphValue {
  std::string name;
  TensorView constant;  // data for weights and other stored tensors, else none
  int producer = -1;    // node that writes it; -1 for inputs and constants
};

struct Node {
  std::string name;
  const Operator* op = nullptr;
  Attributes attributes;  // complete: defaults filled in
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
};

struct Graph {
  std::string source;  // the file, for messages
  std::vector<GraphValue> values;
  std::vector<Node> nodes;      // topological order
  std::vector<ValueId> inputs;  // graph inputs, in file order
  std::vector<ValueId> outputs;
  std::vector<Spec> input_specs;   // beside `inputs`
  std::vector<Spec> output_specs;  // beside `outputs`
  std::map<std::string, std::string> metadata;
  std::size_t weight_bytes = 0;
  // Keeps the mapped file or the copied bytes alive; constants point into it.
  std::shared_ptr<const void> storage;
};

}  // namespace pdrt
