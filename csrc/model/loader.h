// From the bytes of a .pdrt file to a graph in which everything has been checked.
#pragma once

#include <memory>
#include <string>

#include "model/graph.h"
#include "model/mapped_file.h"

namespace pdrt {

// The graph's constants point into `file`, which Graph::storage keeps alive. Throws ModelError
// naming the fault.
std::shared_ptr<const Graph> load_graph(std::shared_ptr<const FileBytes> file,
                                        const std::string& source);

}  // namespace pdrt
