#include <algorithm>

#include "model/infer.h"
#include "pdrt/error.h"
#include "plan/program.h"

namespace pdrt::plan {
namespace {

// A value larger than this is a mistake in the model or an attack, not a feature map.
constexpr std::int64_t kMaxElements = std::int64_t{1} << 33;

// Larger constants are computed at each run instead: a plan is not the place for a stranger's
// gigabytes.
constexpr std::int64_t kMaxFoldedElements = std::int64_t{1} << 26;

bool is_small(const std::vector<reference::TypeAndShape>& results) {
  std::int64_t total = 0;
  for (const reference::TypeAndShape& result : results) total += count_of(result.shape);
  return total <= kMaxFoldedElements;
}

std::vector<bool> live_nodes(const Graph& graph, const std::vector<ValueId>& outputs) {
  std::vector<bool> live(graph.nodes.size(), false);
  std::vector<int> pending;
  auto want = [&](ValueId value) {
    if (value == kAbsent) return;
    const int node = graph.values[value].producer;
    if (node < 0 || live[node]) return;
    live[node] = true;
    pending.push_back(node);
  };
  for (ValueId output : outputs) want(output);
  while (!pending.empty()) {
    const int node = pending.back();
    pending.pop_back();
    for (ValueId input : graph.nodes[node].inputs) want(input);
  }
  return live;
}

void check_size(const Graph& graph, const Node& node, const Shape& shape) {
  std::int64_t count = 1;
  for (std::int64_t dim : shape) {
    if (dim < 0 || (dim > 0 && count > kMaxElements / dim)) {
      throw ModelError(graph.source + ": node '" + node.name + "' (" + std::string(node.op->name) +
                       "): its output " + to_string(shape) +
                       " is larger than any tensor pdrt accepts (2^33 elements)");
    }
    count *= dim;
  }
}

}  // namespace

Program specialise(const Graph& graph, const std::vector<Shape>& input_shapes,
                   const std::vector<ValueId>& outputs) {
  Program program;
  program.graph = &graph;
  program.inputs = graph.inputs;
  program.outputs = outputs;
  program.values.resize(graph.values.size());
  for (std::size_t i = 0; i < graph.values.size(); ++i) {
    Value& value = program.values[i];
    value.name = graph.values[i].name;
    value.constant = graph.values[i].constant;
    if (value.is_constant()) {
      value.dtype = value.constant.dtype;
      value.shape = value.constant.shape();
    }
  }
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    program.values[graph.inputs[i]].dtype = graph.input_specs[i].dtype;
    program.values[graph.inputs[i]].shape = input_shapes[i];
  }

  const std::vector<bool> live = live_nodes(graph, outputs);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    if (!live[n]) continue;
    const Node& node = graph.nodes[n];
    std::vector<reference::Known> known;
    for (ValueId input : node.inputs) {
      reference::Known one;
      if (input != kAbsent) {
        const Value& value = program.values[input];
        one.present = true;
        one.dtype = value.dtype;
        one.shape = value.shape;
        one.constant = value.constant;
      }
      known.push_back(std::move(one));
    }
    const std::vector<reference::TypeAndShape> results = infer(graph, node, known);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == kAbsent) continue;
      check_size(graph, node, results[i].shape);
      program.values[node.outputs[i]].dtype = results[i].dtype;
      program.values[node.outputs[i]].shape = results[i].shape;
    }
    if (can_fold(node, known) && is_small(results)) {
      std::vector<Tensor> folded = fold(graph, node, known, results);
      for (std::size_t i = 0; i < node.outputs.size(); ++i) {
        if (node.outputs[i] == kAbsent) continue;
        program.values[node.outputs[i]].constant =
            program.owned.emplace_back(std::move(folded[i])).view();
      }
      continue;
    }
    const int index = static_cast<int>(program.ops.size());
    program.ops.push_back({&node, node.inputs, node.outputs});
    for (ValueId output : node.outputs) {
      if (output != kAbsent) program.values[output].producer = index;
    }
  }
  for (ValueId output : outputs) program.values[output].is_output = true;
  count_users(program);
  return program;
}

}  // namespace pdrt::plan
