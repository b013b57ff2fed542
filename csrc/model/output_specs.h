// What a model's outputs look like, as far as it follows from its inputs.
#pragma once

#include <vector>

#include "model/graph.h"

namespace pdrt {

// Beside graph.outputs. Throws ModelError where all inputs are concrete and the graph does not work
// out for them. With free dimensions it never throws: a shape that cannot be told is left empty.
std::vector<Spec> output_specs_of(const Graph& graph);

}  // namespace pdrt
