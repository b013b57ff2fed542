#include "model/infer.h"

#include "model/fault.h"
#include "model/sizes.h"
#include "pdrt/error.h"

namespace pdrt {

namespace {

// infer_all() evaluates a node only where its inputs and outputs have no more elements than this
// together: enough for any arithmetic on shapes, too little for a stranger's file to make loading
// slow.
constexpr std::int64_t kMaxFoldedElements = 1024;

std::string describe(const std::vector<reference::Known>& inputs) {
  if (inputs.empty()) return "it has no inputs";
  std::string text;
  for (const reference::Known& input : inputs) {
    text += text.empty() ? "its inputs are " : ", ";
    text +=
        input.present ? std::string(name_of(input.dtype)) + ' ' + to_string(input.shape) : "absent";
  }
  return text;
}

[[noreturn]] void fail(const Graph& graph, const Node& node,
                       const std::vector<reference::Known>& inputs, const std::string& problem) {
  refuse(graph.source, FileFault::shape_inference,
         "node " + quoted(node.name) + " (" + std::string(node.op->name) + "): " + problem + "; " +
             describe(inputs));
}

reference::Known known_constant(const TensorView& view) {
  return {true, view.dtype, view.shape(), view};
}

bool small_enough(const std::vector<reference::Known>& inputs,
                  const std::vector<reference::TypeAndShape>& results) {
  std::int64_t elements = 0;
  for (const reference::Known& input : inputs) {
    if (input.constant.present()) elements += count_of(input.shape);
  }
  for (const reference::TypeAndShape& result : results) elements += count_of(result.shape);
  return elements <= kMaxFoldedElements;
}

}  // namespace

std::vector<reference::TypeAndShape> infer(const Graph& graph, const Node& node,
                                           const std::vector<reference::Known>& inputs) {
  std::vector<reference::TypeAndShape> results;
  try {
    results = node.op->infer({node.attributes, inputs, static_cast<int>(node.outputs.size())});
  } catch (const Error& error) {
    fail(graph, node, inputs, error.what());
  }
  if (results.size() != node.outputs.size()) {
    fail(graph, node, inputs,
         "it makes " + std::to_string(results.size()) + " outputs, but " +
             std::to_string(node.outputs.size()) + " are named");
  }
  for (const reference::TypeAndShape& result : results) {
    if (result.shape.size() > kMaxRank || !bytes_of(result.shape, result.dtype)) {
      fail(graph, node, inputs,
           "its output would be " + to_string(result.shape) + ", which no tensor may be");
    }
  }
  return results;
}

bool can_fold(const Node& node, const std::vector<reference::Known>& inputs) {
  if (node.op->name == "Shape" || node.op->name == "Size") return true;
  for (const reference::Known& input : inputs) {
    if (input.present && !input.constant.present()) return false;
  }
  return true;
}

std::vector<Tensor> fold(const Graph& graph, const Node& node,
                         const std::vector<reference::Known>& inputs,
                         const std::vector<reference::TypeAndShape>& results) {
  std::uint64_t unread = 0;  // stands for data of which only the shape is read
  std::vector<TensorView> sources;
  for (const reference::Known& input : inputs) {
    if (!input.present || input.constant.present()) {
      sources.push_back(input.constant);
    } else {
      sources.emplace_back(&unread, input.dtype, input.shape, Shape(input.shape.size(), 0));
    }
  }
  std::vector<Tensor> tensors(node.outputs.size());
  std::vector<TensorView> targets(node.outputs.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (node.outputs[i] == kAbsent) continue;
    tensors[i] = Tensor(results[i].dtype, results[i].shape);
    targets[i] = tensors[i].view();
  }
  try {
    node.op->evaluate({node.attributes, sources, targets});
  } catch (const Error& error) {
    fail(graph, node, inputs, error.what());
  }
  return tensors;
}

Inference infer_all(const Graph& graph, const std::vector<Shape>& inputs) {
  Inference result;
  result.values.resize(graph.values.size());
  for (std::size_t i = 0; i < graph.values.size(); ++i) {
    if (graph.values[i].constant.present())
      result.values[i] = known_constant(graph.values[i].constant);
  }
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    result.values[graph.inputs[i]] = {true, graph.input_specs[i].dtype, inputs[i], {}};
  }
  std::vector<reference::Known> known;
  for (const Node& node : graph.nodes) {
    known.clear();
    for (const ValueId input : node.inputs) {
      known.push_back(input == kAbsent ? reference::Known{} : result.values[input]);
    }
    std::vector<reference::TypeAndShape> outputs = infer(graph, node, known);
    std::vector<Tensor> folded;
    if (can_fold(node, known) && small_enough(known, outputs))
      folded = fold(graph, node, known, outputs);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == kAbsent) continue;
      reference::Known& value = result.values[node.outputs[i]];
      if (folded.empty()) {
        value = {true, outputs[i].dtype, std::move(outputs[i].shape), {}};
      } else {
        value = known_constant(result.folded.emplace_back(std::move(folded[i])).view());
      }
    }
  }
  return result;
}

}  // namespace pdrt
