// What a caller hands in, held against what the model takes. Every refusal is an InputError that
// names both.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/graph.h"
#include "pdrt/session.h"

namespace pdrt::run {

// No free dimension in any input.
bool is_concrete(const Graph& graph);

void check_shape(const Graph& graph, const Spec& spec, const Shape& shape);
void check_input(const Graph& graph, const Spec& spec, const TensorView& view);

// The inputs in the graph's order; every name known, none missing.
std::vector<TensorView> in_order(const Graph& graph,
                                 const std::map<std::string, TensorView>& inputs);

// A checked shape for every input, free dimensions being 1 where no shapes are given.
std::vector<Shape> concrete_shapes(const Graph& graph, const std::vector<Shape>& shapes);

ValueId find_value(const Graph& graph, const std::string& name);

}  // namespace pdrt::run
