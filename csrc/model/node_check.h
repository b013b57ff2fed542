// A node of the file against its row of the operator table.
#pragma once

#include <string>
#include <vector>

#include "model/graph_text.h"
#include "model/operators.h"

namespace pdrt {

// Refuses a graph with unknown operators; names all of them, and their nodes, at once.
void check_operators(const std::vector<NodeText>& nodes, const std::string& source);

// The number of inputs and outputs, and that those the operator cannot do without are there.
void check_arity(const NodeText& node, const Operator& op, const std::string& source);

// The node's attributes, complete: defaults filled in, integers made real where reals are declared.
Attributes read_attributes(const NodeText& node, const Operator& op, const std::string& source);

}  // namespace pdrt
