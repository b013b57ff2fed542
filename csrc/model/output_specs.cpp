#include "model/output_specs.h"

#include <algorithm>
#include <optional>

#include "model/infer.h"
#include "pdrt/error.h"

namespace pdrt {

namespace {

std::vector<Shape> shapes_with(const std::vector<Spec>& specs, std::int64_t free) {
  std::vector<Shape> shapes;
  for (const Spec& spec : specs) {
    shapes.push_back(spec.shape);
    std::replace(shapes.back().begin(), shapes.back().end(), std::int64_t{-1}, free);
  }
  return shapes;
}

std::vector<Spec> outputs_of(const Graph& graph, const Inference& inference) {
  std::vector<Spec> specs;
  for (const ValueId output : graph.outputs) {
    const reference::Known& known = inference.values[output];
    specs.push_back({graph.values[output].name, known.dtype, known.shape});
  }
  return specs;
}

std::optional<Inference> try_infer(const Graph& graph, std::int64_t free) {
  try {
    return infer_all(graph, shapes_with(graph.input_specs, free));
  } catch (const ModelError&) {
    return std::nullopt;  // that size does not suit the graph; it says nothing of others
  }
}

// The outputs of a graph with free dimensions: inferred for two sizes of these, and what differs is
// free. Where no two sizes suit the graph, the shapes stay empty.
std::vector<Spec> free_outputs(const Graph& graph) {
  std::optional<std::vector<Spec>> first;
  for (const std::int64_t free : {64, 96, 224, 256}) {
    const auto inference = try_infer(graph, free);
    if (!inference) continue;
    std::vector<Spec> specs = outputs_of(graph, *inference);
    if (!first) {
      first = std::move(specs);
      continue;
    }
    for (std::size_t i = 0; i < specs.size(); ++i) {
      const Shape& other = (*first)[i].shape;
      if (specs[i].shape.size() != other.size()) {
        specs[i].shape.clear();
        continue;
      }
      for (std::size_t d = 0; d < other.size(); ++d) {
        if (specs[i].shape[d] != other[d]) specs[i].shape[d] = -1;
      }
    }
    return specs;
  }
  std::vector<Spec> specs;
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    specs.push_back(
        {graph.values[graph.outputs[i]].name, first ? (*first)[i].dtype : DType::f32, {}});
  }
  return specs;
}

bool has_free_dimensions(const std::vector<Spec>& specs) {
  return std::any_of(specs.begin(), specs.end(), [](const Spec& spec) {
    return std::find(spec.shape.begin(), spec.shape.end(), -1) != spec.shape.end();
  });
}

}  // namespace

std::vector<Spec> output_specs_of(const Graph& graph) {
  if (has_free_dimensions(graph.input_specs)) return free_outputs(graph);
  return outputs_of(graph, infer_all(graph, shapes_with(graph.input_specs, 1)));
}

}  // namespace pdrt
