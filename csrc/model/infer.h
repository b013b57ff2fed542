// Types and shapes of a graph's values, once the shapes of its inputs are known.
#pragma once

#include <deque>
#include <vector>

#include "model/graph.h"

namespace pdrt {

// The node's outputs, in its order; asks the operator table, and checks what it says. Throws
// ModelError: "net.pdrt: shape_inference: node 'conv1' (Conv): <what is wrong>; its inputs are
// float32 1x4x8x8, ...".
std::vector<reference::TypeAndShape> infer(const Graph& graph, const Node& node,
                                           const std::vector<reference::Known>& inputs);

// Whether the node's outputs follow from what is known before any run: all its inputs are
// constants, or it reads shapes only (Shape, Size).
bool can_fold(const Node& node, const std::vector<reference::Known>& inputs);

// The outputs of a node that can be folded. `results` is what infer() said. An output the node does
// not name is left empty. Throws as infer() does.
std::vector<Tensor> fold(const Graph& graph, const Node& node,
                         const std::vector<reference::Known>& inputs,
                         const std::vector<reference::TypeAndShape>& results);

struct Inference {
  std::vector<reference::Known> values;  // numbered like Graph::values
  std::deque<Tensor> folded;             // what their `constant` may point into
};

// All values, for input shapes in the order of graph.inputs. Folds small constants, which is what
// shapes are made of; throws where a node's output cannot be told.
Inference infer_all(const Graph& graph, const std::vector<Shape>& inputs);

}  // namespace pdrt
