// A model: graph and weights, from a .pdrt file. Immutable: threads and sessions may share it.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pdrt/tensor.h"

namespace pdrt {

// What an input or output looks like. A dimension of -1 is free: the arrays of each run fix it.
struct Spec {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;
};

struct Graph;  // csrc/model/graph.h

class Model {
 public:
  // Maps the file; weights are never copied. Throws ModelError naming the file and its fault.
  static Model load(const std::string& path);
  // The same from memory. The bytes are copied once, to an aligned block.
  static Model from_bytes(const void* bytes, std::size_t size, const std::string& name = "<bytes>");

  // Writes a .pdrt file: to a temporary beside it, then renamed; no reader ever sees half a file.
  void save(const std::string& path) const;

  const std::vector<Spec>& inputs() const;
  // Shapes are filled in as far as they follow from the inputs.
  const std::vector<Spec>& outputs() const;
  const std::map<std::string, std::string>& metadata() const;
  const Graph& graph() const { return *graph_; }

 private:
  explicit Model(std::shared_ptr<const Graph> graph) : graph_(std::move(graph)) {}
  std::shared_ptr<const Graph> graph_;
};

}  // namespace pdrt
