// Making a model in C++: inputs, constants and nodes become a .pdrt file, or a Model at once.
//
//   pdrt::ModelWriter()
//       .input("image", pdrt::DType::f32, {"N", 3, 32, 32})
//       .tensor("conv.w", weights.view())
//       .node("conv", "Conv", {"image", "conv.w"}, {"c"}, {{"group", 1}})
//       .node("act", "Relu", {"c"}, {"y"})
//       .output("y")
//       .save("net.pdrt");
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "pdrt/attributes.h"
#include "pdrt/model.h"
#include "pdrt/tensor.h"

namespace pdrt {

// A size, or the name of a free dimension.
using Dimension = std::variant<std::int64_t, std::string>;

// docs/format.md says what may be written, docs/operators.md which operators there are. The calls
// below only collect; model() and save() have the loader check the whole, as it checks any file.
// The same calls give the same bytes. Nodes must come after those they read.
class ModelWriter {
 public:
  ModelWriter();
  ModelWriter& input(std::string name, DType dtype, std::vector<Dimension> shape);
  // A constant. The values are copied, whatever their strides. Throws ModelError where the view has
  // no data, length_error where its shape is none a tensor can have.
  ModelWriter& tensor(std::string name, const TensorView& values);
  // "" among inputs or outputs leaves out an optional one. Throws ModelError where an attribute is
  // NaN or infinite: the file has no word for these.
  ModelWriter& node(std::string name, std::string op, std::vector<std::string> inputs,
                    std::vector<std::string> outputs, Attributes attributes = {});
  ModelWriter& output(std::string value);
  // What made the model, for people (else this library and its version), and the SHA-256 of the
  // file it was made from, in lower-case hexadecimal digits.
  ModelWriter& metadata(std::string producer, std::string source_sha256 = "");

  // The file, not checked.
  std::vector<std::byte> bytes() const;
  // The model as a file of that name would load. Throws ModelError naming the fault.
  Model model(const std::string& name = "<written>") const;
  // Writes what model() accepts: to a temporary beside the file, then renamed; no reader ever sees
  // half a file. Throws ModelError naming the fault, or why the file cannot be written.
  void save(const std::string& path) const;

 private:
  struct Input {
    std::string name;
    DType dtype;
    std::vector<Dimension> shape;
  };
  struct Constant {
    std::string name;
    std::shared_ptr<const Tensor> values;  // shared by copies of the writer, and never changed
  };
  struct Node {
    std::string name;
    std::string op;
    std::vector<std::string> inputs;
    std::vector<std::string> outputs;
    Attributes attributes;
  };
  std::string graph_text() const;

  std::vector<Input> inputs_;
  std::vector<Constant> constants_;
  std::vector<Node> nodes_;
  std::vector<std::string> outputs_;
  std::string producer_;
  std::string source_sha256_;
};

}  // namespace pdrt
