#include "pdrt/writer.h"

#include <cmath>

#include "model/fault.h"
#include "model/json.h"
#include "model/metadata.h"
#include "model/safetensors.h"
#include "pdrt/error.h"

namespace pdrt {

namespace {

constexpr const char* kFormatVersion = "1.0";

template <typename... T>
json::Value value_of(const std::variant<T...>& either);

template <typename T>
json::Value value_of(const T& scalar) {
  return {scalar};
}

template <typename T>
json::Value value_of(const std::vector<T>& items) {
  json::Value::Array list;
  for (const T& item : items) list.push_back(value_of(item));
  return {std::move(list)};
}

template <typename... T>
json::Value value_of(const std::variant<T...>& either) {
  return std::visit([](const auto& content) { return value_of(content); }, either);
}

json::Value value_of(const Attributes& attributes) {
  json::Value::Object members;
  for (const auto& [name, attribute] : attributes.all())
    members.push_back({name, value_of(attribute)});
  return {std::move(members)};
}

bool finite(const Attribute& attribute) {
  if (const auto* const real = std::get_if<double>(&attribute)) return std::isfinite(*real);
  if (const auto* const reals = std::get_if<std::vector<double>>(&attribute)) {
    for (const double real : *reals) {
      if (!std::isfinite(real)) return false;
    }
  }
  return true;
}

}  // namespace

ModelWriter::ModelWriter() : producer_("pdrt " PDRT_VERSION) {}

ModelWriter& ModelWriter::input(std::string name, DType dtype, std::vector<Dimension> shape) {
  inputs_.push_back({std::move(name), dtype, std::move(shape)});
  return *this;
}

ModelWriter& ModelWriter::tensor(std::string name, const TensorView& values) {
  if (!values.present() && values.count() != 0)
    throw ModelError("tensor " + quoted(name) + " has no data: its pointer is null");
  constants_.push_back({std::move(name), std::make_shared<Tensor>(Tensor::copy_of(values))});
  return *this;
}

ModelWriter& ModelWriter::node(std::string name, std::string op, std::vector<std::string> inputs,
                               std::vector<std::string> outputs, Attributes attributes) {
  for (const auto& [key, attribute] : attributes.all()) {
    if (!finite(attribute)) {
      throw ModelError("node " + quoted(name) + " (" + op + "): attribute " + quoted(key) +
                       " is not finite; a .pdrt file has no word for NaN and infinity");
    }
  }
  nodes_.push_back({std::move(name), std::move(op), std::move(inputs), std::move(outputs),
                    std::move(attributes)});
  return *this;
}

ModelWriter& ModelWriter::output(std::string value) {
  outputs_.push_back(std::move(value));
  return *this;
}

ModelWriter& ModelWriter::metadata(std::string producer, std::string source_sha256) {
  producer_ = std::move(producer);
  source_sha256_ = std::move(source_sha256);
  return *this;
}

// Keys in alphabetical order everywhere, and attributes even where a node has none: what the ONNX
// import writes, too.
std::string ModelWriter::graph_text() const {
  json::Value::Array inputs;
  for (const Input& input : inputs_) {
    inputs.push_back({json::Value::Object{
        {"dtype", {std::string(name_of(input.dtype))}},
        {"name", {input.name}},
        {"shape", value_of(input.shape)},
    }});
  }
  json::Value::Array nodes;
  for (const Node& node : nodes_) {
    nodes.push_back({json::Value::Object{
        {"attributes", value_of(node.attributes)},
        {"inputs", value_of(node.inputs)},
        {"name", {node.name}},
        {"op", {node.op}},
        {"outputs", value_of(node.outputs)},
    }});
  }
  return json::write({json::Value::Object{
      {"inputs", {std::move(inputs)}},
      {"nodes", {std::move(nodes)}},
      {"outputs", value_of(outputs_)},
  }});
}

std::vector<std::byte> ModelWriter::bytes() const {
  std::vector<StoredTensor> tensors;
  for (const Constant& constant : constants_)
    tensors.push_back({constant.name, constant.values->view()});
  return write_safetensors({{metadata::kFormat, kFormatVersion},
                            {metadata::kGraph, graph_text()},
                            {metadata::kProducer, producer_},
                            {metadata::kSourceHash, source_sha256_}},
                           std::move(tensors));
}

Model ModelWriter::model(const std::string& name) const {
  const std::vector<std::byte> file = bytes();
  return Model::from_bytes(file.data(), file.size(), name);
}

void ModelWriter::save(const std::string& path) const { model(path).save(path); }

}  // namespace pdrt
