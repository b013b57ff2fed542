// The graph as the file writes it: pdrt.graph, read and checked for form. What the names mean is
// the loader's affair.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/json.h"
#include "pdrt/model.h"

namespace pdrt {

struct NodeText {
  std::string name;
  std::string op;
  std::vector<std::string> inputs;   // "" where an optional one is absent
  std::vector<std::string> outputs;  // the same
  json::Value::Object attributes;
};

struct GraphText {
  std::vector<Spec> inputs;
  std::vector<std::string> outputs;
  std::vector<NodeText> nodes;
};

constexpr std::size_t kMaxNodes = 65536;

// Throws ModelError naming the fault. `source` is the file's name, for messages.
GraphText read_graph_text(std::string_view text, const std::string& source);

}  // namespace pdrt
