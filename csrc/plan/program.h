// The graph made concrete for one set of input shapes: every type and shape known, constants
// folded, dead nodes gone.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "model/graph.h"

namespace pdrt::plan {

struct Value {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;
  TensorView constant;     // has data when the value is known before any run
  int producer = -1;       // op that writes it; -1 for inputs and constants
  std::vector<int> users;  // ops that read it, once per reading; see count_users
  bool is_output = false;

  bool is_constant() const { return constant.present(); }
};

struct Op {
  const Node* node = nullptr;  // name, operator, attributes
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;

  const std::string& name() const { return node->name; }
  std::string_view kind() const { return node->op->name; }
};

struct Program {
  const Graph* graph = nullptr;
  std::vector<Value> values;  // numbered like Graph::values
  std::vector<Op> ops;        // in an order that can be executed
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;  // what the session returns, in its order
  std::deque<Tensor> owned;      // folded constants; a deque because views point into it
};

// Shapes are those of graph.inputs, in order. Throws ModelError naming the node where a shape or
// type does not work out.
Program specialise(const Graph& graph, const std::vector<Shape>& input_shapes,
                   const std::vector<ValueId>& outputs);

// Forwards identities, drops expands that broadcasting makes redundant, computes what is equal
// once, removes what nothing reads.
void simplify(Program& program);

// Rebuilds Value::users and drops ops that nothing reads.
void count_users(Program& program);

}  // namespace pdrt::plan
