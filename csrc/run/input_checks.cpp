#include "run/input_checks.h"

#include <algorithm>

#include "pdrt/error.h"

namespace pdrt::run {
namespace {

std::string expected(const Spec& spec) {
  std::string text;
  for (std::int64_t dim : spec.shape) {
    text += (text.empty() ? "" : "x") + (dim < 0 ? std::string("?") : std::to_string(dim));
  }
  return std::string(name_of(spec.dtype)) + " " + (text.empty() ? "scalar" : text);
}

bool has_input(const Graph& graph, const std::string& name) {
  return std::any_of(graph.input_specs.begin(), graph.input_specs.end(),
                     [&](const Spec& spec) { return spec.name == name; });
}

}  // namespace

bool is_concrete(const Graph& graph) {
  return std::all_of(graph.input_specs.begin(), graph.input_specs.end(), [](const Spec& spec) {
    return std::find(spec.shape.begin(), spec.shape.end(), -1) == spec.shape.end();
  });
}

void check_shape(const Graph& graph, const Spec& spec, const Shape& shape) {
  bool fits = shape.size() == spec.shape.size();
  for (std::size_t d = 0; fits && d < shape.size(); ++d) {
    fits = spec.shape[d] < 0 || shape[d] == spec.shape[d];
  }
  const std::string given =
      graph.source + ": input '" + spec.name + "' has shape " + to_string(shape);
  if (!fits) throw InputError(given + ", but the model takes " + expected(spec));
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) {
    throw InputError(given + "; a dimension of 0 leaves nothing to compute");
  }
}

void check_input(const Graph& graph, const Spec& spec, const TensorView& view) {
  if (view.dtype != spec.dtype) {
    throw InputError(graph.source + ": input '" + spec.name + "' is " + name_of(view.dtype) +
                     ", but the model takes " + expected(spec));
  }
  const bool as_declared = view.rank == static_cast<int>(spec.shape.size()) &&
                           std::equal(spec.shape.begin(), spec.shape.end(), view.dims.begin(),
                                      [](std::int64_t want, std::int64_t dim) {
                                        return dim > 0 && (want < 0 || want == dim);
                                      });
  if (!as_declared) check_shape(graph, spec, view.shape());
}

std::vector<TensorView> in_order(const Graph& graph,
                                 const std::map<std::string, TensorView>& inputs) {
  for (const auto& [name, view] : inputs) {
    if (has_input(graph, name)) continue;
    std::string names;
    for (const Spec& spec : graph.input_specs)
      names += (names.empty() ? "'" : ", '") + spec.name + "'";
    throw InputError(graph.source + ": the model has no input named '" + name + "'; it takes " +
                     names);
  }
  std::vector<TensorView> ordered;
  for (const Spec& spec : graph.input_specs) {
    const auto at = inputs.find(spec.name);
    if (at == inputs.end()) {
      throw InputError(graph.source + ": input '" + spec.name + "' (" + expected(spec) +
                       ") is missing");
    }
    ordered.push_back(at->second);
  }
  return ordered;
}

std::vector<Shape> concrete_shapes(const Graph& graph, const std::vector<Shape>& shapes) {
  std::vector<Shape> concrete = shapes;
  if (shapes.empty()) {
    for (const Spec& spec : graph.input_specs) {
      concrete.push_back(spec.shape);
      std::replace(concrete.back().begin(), concrete.back().end(), std::int64_t{-1},
                   std::int64_t{1});
    }
  } else if (shapes.size() != graph.inputs.size()) {
    throw InputError(graph.source + ": " + std::to_string(shapes.size()) +
                     " shapes given, the model takes " + std::to_string(graph.inputs.size()) +
                     " inputs");
  }
  for (std::size_t i = 0; i < concrete.size(); ++i)
    check_shape(graph, graph.input_specs[i], concrete[i]);
  return concrete;
}

ValueId find_value(const Graph& graph, const std::string& name) {
  for (std::size_t id = 0; id < graph.values.size(); ++id) {
    if (graph.values[id].name == name) return static_cast<ValueId>(id);
  }
  throw InputError(graph.source + ": there is no value named '" + name + "' to return");
}

}  // namespace pdrt::run
