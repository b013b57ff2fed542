#include "pdrt/model.h"

#include "model/graph.h"
#include "model/loader.h"
#include "model/mapped_file.h"
#include "model/new_file.h"

namespace pdrt {

Model Model::load(const std::string& path) { return Model(load_graph(FileBytes::map(path), path)); }

Model Model::from_bytes(const void* bytes, std::size_t size, const std::string& name) {
  return Model(load_graph(FileBytes::copy_of(bytes, size, name), name));
}

// A model does not change, so what is written is what was read, byte for byte.
void Model::save(const std::string& path) const {
  const auto bytes = std::static_pointer_cast<const FileBytes>(graph_->storage);
  write_file(path, bytes->data(), bytes->size());
}

const std::vector<Spec>& Model::inputs() const { return graph_->input_specs; }

const std::vector<Spec>& Model::outputs() const { return graph_->output_specs; }

const std::map<std::string, std::string>& Model::metadata() const { return graph_->metadata; }

}  // namespace pdrt
