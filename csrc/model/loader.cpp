#include "model/loader.h"

#include <unordered_map>
#include <unordered_set>

#include "model/fault.h"
#include "model/graph_text.h"
#include "model/metadata.h"
#include "model/node_check.h"
#include "model/output_specs.h"
#include "model/safetensors.h"

namespace pdrt {

namespace {

using metadata::kFormat;
using metadata::kGraph;
using metadata::kProducer;
using metadata::kSourceHash;

bool all_of(const std::string& text, const char* characters) {
  return text.find_first_not_of(characters) == std::string::npos;
}

void check_format(const std::string& version, const std::string& source) {
  constexpr const char* kDigits = "0123456789";
  const std::size_t dot = version.find('.');
  const std::string major = version.substr(0, dot);
  const std::string minor = dot == std::string::npos ? "" : version.substr(dot + 1);
  if (major.empty() || minor.empty() || !all_of(major, kDigits) || !all_of(minor, kDigits)) {
    refuse(source, FileFault::format_malformed,
           "pdrt.format is " + quoted(version) + ", expected the form '1.0'");
  }
  if (major != "1") {
    refuse(source, FileFault::format_unsupported,
           "the file's format is " + quoted(version) + ", this version of pdrt reads 1.x");
  }
}

void check_metadata(const std::map<std::string, std::string>& metadata, const std::string& source) {
  for (const char* const key : {kFormat, kProducer, kSourceHash, kGraph}) {
    if (metadata.count(key) == 0) {
      refuse(source, FileFault::metadata_key_missing,
             "__metadata__ has no '" + std::string(key) + "'");
    }
  }
  check_format(metadata.at(kFormat), source);
  for (const auto& [key, value] : metadata) {
    if (key.compare(0, 5, "pdrt.") == 0 && key != kFormat && key != kProducer &&
        key != kSourceHash && key != kGraph) {
      refuse(source, FileFault::metadata_key_unknown,
             "__metadata__ has the unknown key " + quoted(key) +
                 "; keys that start with 'pdrt.' are the format's own");
    }
  }
  const std::string& hash = metadata.at(kSourceHash);
  if (!hash.empty() && (hash.size() != 64 || !all_of(hash, "0123456789abcdef"))) {
    refuse(source, FileFault::metadata_source_hash,
           "pdrt.source_sha256 is " + quoted(hash) +
               ", expected 64 lower-case hexadecimal digits or nothing");
  }
}

// Gives every name its number and every use of a name its value.
class Binder {
 public:
  Binder(const GraphText& text, Graph& graph) : text_(text), graph_(graph) {}

  void bind(const std::vector<StoredTensor>& tensors) {
    for (const Spec& spec : text_.inputs) {
      graph_.inputs.push_back(add({spec.name, {}, -1}, "the graph's inputs"));
      graph_.input_specs.push_back(spec);
    }
    for (const StoredTensor& tensor : tensors)
      add({tensor.name, tensor.view, -1}, "the stored tensors");
    add_nodes();
    bind_inputs();
    bind_outputs();
  }

 private:
  [[noreturn]] void fail(FileFault fault, const std::string& sentence) const {
    refuse(graph_.source, fault, sentence);
  }

  std::string describe(std::size_t node) const { return "node " + quoted(text_.nodes[node].name); }

  std::string producer_of(ValueId value) const {
    const int node = graph_.values[value].producer;
    if (node >= 0) return describe(static_cast<std::size_t>(node));
    return graph_.values[value].constant.present() ? "the stored tensors" : "the graph's inputs";
  }

  ValueId add(GraphValue value, const std::string& producer) {
    const auto id = static_cast<ValueId>(graph_.values.size());
    const auto [known, fresh] = ids_.emplace(value.name, id);
    if (!fresh) {
      fail(FileFault::value_duplicate, "value " + quoted(value.name) + " comes from " +
                                           producer_of(known->second) + " and again from " +
                                           producer);
    }
    graph_.values.push_back(std::move(value));
    return id;
  }

  void add_nodes() {
    std::unordered_set<std::string> names;
    for (std::size_t n = 0; n < text_.nodes.size(); ++n) {
      const NodeText& text = text_.nodes[n];
      if (!names.insert(text.name).second)
        fail(FileFault::node_duplicate, "two nodes have the name " + quoted(text.name));
      Node node;
      node.name = text.name;
      node.op = find_operator(text.op);
      check_arity(text, *node.op, graph_.source);
      node.attributes = read_attributes(text, *node.op, graph_.source);
      for (const std::string& output : text.outputs) {
        node.outputs.push_back(
            output.empty() ? kAbsent : add({output, {}, static_cast<int>(n)}, describe(n)));
      }
      graph_.nodes.push_back(std::move(node));
    }
  }

  // After all nodes have been added, so that a name nobody produces can be told from one produced
  // too late.
  void bind_inputs() {
    for (std::size_t n = 0; n < text_.nodes.size(); ++n) {
      for (const std::string& input : text_.nodes[n].inputs) {
        const ValueId value = input.empty() ? kAbsent : find(input, describe(n) + " reads");
        if (value != kAbsent && graph_.values[value].producer >= static_cast<int>(n)) {
          fail(FileFault::value_order, describe(n) + " reads " + quoted(input) +
                                           ", which comes from " + producer_of(value) +
                                           ": nodes must come after all they read");
        }
        graph_.nodes[n].inputs.push_back(value);
      }
    }
  }

  void bind_outputs() {
    if (text_.outputs.empty()) fail(FileFault::output_missing, "the graph has no outputs");
    std::unordered_set<ValueId> named;
    for (const std::string& output : text_.outputs) {
      const ValueId value = find(output, "the graph's outputs name");
      if (!named.insert(value).second) {
        fail(FileFault::output_duplicate, "the graph's outputs name " + quoted(output) + " twice");
      }
      graph_.outputs.push_back(value);
    }
  }

  ValueId find(const std::string& name, const std::string& reader) const {
    const auto found = ids_.find(name);
    if (found == ids_.end()) {
      fail(FileFault::value_undefined,
           reader + ' ' + quoted(name) +
               ", which is no input, no stored tensor and no node's output");
    }
    return found->second;
  }

  const GraphText& text_;
  Graph& graph_;
  std::unordered_map<std::string, ValueId> ids_;
};

}  // namespace

std::shared_ptr<const Graph> load_graph(std::shared_ptr<const FileBytes> file,
                                        const std::string& source) {
  Safetensors stored = read_safetensors(*file, source);
  check_metadata(stored.metadata, source);
  const GraphText text = read_graph_text(stored.metadata.at(kGraph), source);
  check_operators(text.nodes, source);

  const auto graph = std::make_shared<Graph>();
  graph->source = source;
  graph->storage = std::move(file);
  graph->weight_bytes = stored.tensor_bytes;
  stored.metadata.erase(kGraph);  // it is the graph now
  graph->metadata = std::move(stored.metadata);
  Binder(text, *graph).bind(stored.tensors);
  graph->output_specs = output_specs_of(*graph);
  return graph;
}

}  // namespace pdrt
