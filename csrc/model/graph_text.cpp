#include "model/graph_text.h"

#include <algorithm>
#include <initializer_list>

#include "model/fault.h"
#include "model/names.h"
#include "model/sizes.h"

namespace pdrt {

namespace {

template <typename T>
constexpr const char* kKind = nullptr;
template <>
constexpr const char* kKind<std::string> = "a string";
template <>
constexpr const char* kKind<json::Value::Array> = "a list";
template <>
constexpr const char* kKind<json::Value::Object> = "an object";

// One object or list of the text and where it stands, for messages: "node 'conv1'".
class Reader {
 public:
  explicit Reader(const std::string& source) : source_(source) {}

  GraphText graph(const json::Value& value) const {
    const std::string where = "the graph";
    const auto& object = object_of(value, where, {"inputs", "outputs", "nodes"});
    GraphText graph;
    for (const json::Value& item : require<json::Value::Array>(object, "inputs", where)) {
      graph.inputs.push_back(input(item, "input " + std::to_string(graph.inputs.size())));
    }
    const auto& nodes = require<json::Value::Array>(object, "nodes", where);
    if (nodes.size() > kMaxNodes) {
      refuse(source_, FileFault::graph_too_large,
             "the graph has " + std::to_string(nodes.size()) + " nodes; at most " +
                 std::to_string(kMaxNodes) + " are allowed");
    }
    for (const json::Value& item : nodes) {
      graph.nodes.push_back(node(item, "node " + std::to_string(graph.nodes.size())));
    }
    graph.outputs = names(require<json::Value::Array>(object, "outputs", where),
                          "'outputs' of the graph", false);
    return graph;
  }

 private:
  [[noreturn]] void wrong_type(const std::string& what, const json::Value& value,
                               const char* kind) const {
    refuse(source_, FileFault::graph_type, what + " is " + json::kind_of(value) + ", not " + kind);
  }

  template <typename T>
  const T& as(const json::Value& value, const std::string& what) const {
    const T* const content = value.get<T>();
    if (!content) wrong_type(what, value, kKind<T>);
    return *content;
  }

  const json::Value::Object& object_of(const json::Value& value, const std::string& where,
                                       std::initializer_list<std::string_view> keys) const {
    const auto& object = as<json::Value::Object>(value, where);
    for (const json::Member& member : object) {
      if (std::find(keys.begin(), keys.end(), member.key) == keys.end()) {
        refuse(source_, FileFault::graph_key_unknown,
               where + " has an unknown key, " + quoted(member.key));
      }
    }
    return object;
  }

  template <typename T>
  const T& require(const json::Value::Object& object, const char* key,
                   const std::string& where) const {
    const json::Value* const value = json::find(object, key);
    if (!value) refuse(source_, FileFault::graph_key_missing, where + " has no '" + key + "'");
    return as<T>(*value, std::string("'") + key + "' of " + where);
  }

  std::string checked_name(const std::string& name, const std::string& what) const {
    check_name(name, source_, what);
    return name;
  }

  std::vector<std::string> names(const json::Value::Array& items, const std::string& what,
                                 bool absent_allowed) const {
    std::vector<std::string> result;
    for (const json::Value& item : items) {
      const auto& name = as<std::string>(item, "an entry of " + what);
      if (!(absent_allowed && name.empty())) check_name(name, source_, "a name in " + what);
      result.push_back(name);
    }
    return result;
  }

  Spec input(const json::Value& value, const std::string& position) const {
    const auto& object = object_of(value, position, {"name", "dtype", "shape"});
    Spec spec;
    spec.name =
        checked_name(require<std::string>(object, "name", position), "'name' of " + position);
    const std::string where = "input " + quoted(spec.name);
    spec.dtype = dtype(require<std::string>(object, "dtype", where), where);
    spec.shape = shape(require<json::Value::Array>(object, "shape", where), where);
    // Free dimensions count as 1 here: what each run makes of them is checked then.
    Shape least = spec.shape;
    std::replace(least.begin(), least.end(), std::int64_t{-1}, std::int64_t{1});
    if (!bytes_of(least, spec.dtype)) {
      refuse(source_, FileFault::input_shape,
             where + " has the shape " + to_string(least) +
                 ", free dimensions counted as 1, which is too large");
    }
    return spec;
  }

  DType dtype(const std::string& name, const std::string& where) const {
    std::string known;
    for (const DType dtype :
         {DType::f32, DType::f64, DType::i32, DType::i64, DType::u8, DType::boolean}) {
      if (name == name_of(dtype)) return dtype;
      known += known.empty() ? "" : ", ";
      known += name_of(dtype);
    }
    refuse(source_, FileFault::input_dtype,
           where + " has the dtype " + quoted(name) + "; known are " + known);
  }

  Shape shape(const json::Value::Array& items, const std::string& where) const {
    if (items.size() > kMaxRank) {
      refuse(source_, FileFault::input_shape,
             where + " has " + std::to_string(items.size()) + " dimensions; at most " +
                 std::to_string(kMaxRank) + " are allowed");
    }
    Shape shape;
    for (const json::Value& item : items) {
      if (const auto* const free = item.get<std::string>()) {
        check_name(*free, source_, "the name of a free dimension of " + where);
        shape.push_back(-1);
      } else if (const auto* const dim = item.get<std::int64_t>(); dim && *dim >= 0) {
        shape.push_back(*dim);
      } else {
        refuse(source_, FileFault::input_shape,
               where +
                   " has a dimension which is neither an integer of at least 0 nor the name of a "
                   "free dimension");
      }
    }
    return shape;
  }

  NodeText node(const json::Value& value, const std::string& position) const {
    const auto& object =
        object_of(value, position, {"name", "op", "inputs", "outputs", "attributes"});
    NodeText node;
    node.name =
        checked_name(require<std::string>(object, "name", position), "'name' of " + position);
    const std::string where = "node " + quoted(node.name);
    node.op = checked_name(require<std::string>(object, "op", where), "'op' of " + where);
    node.inputs =
        names(require<json::Value::Array>(object, "inputs", where), "'inputs' of " + where, true);
    node.outputs =
        names(require<json::Value::Array>(object, "outputs", where), "'outputs' of " + where, true);
    if (json::find(object, "attributes")) {
      node.attributes = require<json::Value::Object>(object, "attributes", where);
    }
    return node;
  }

  const std::string& source_;
};

}  // namespace

GraphText read_graph_text(std::string_view text, const std::string& source) {
  return Reader(source).graph(json::parse(text, source, "pdrt.graph"));
}

}  // namespace pdrt
