#include "model/node_check.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>

#include "model/fault.h"

namespace pdrt {

namespace {

// Numbers in lists (strides, paddings, kernel shapes) are multiplied with each other; these
// products cannot overflow.
constexpr std::int64_t kMaxListed = std::numeric_limits<std::int32_t>::max();

std::string describe(const NodeText& node) {
  return "node " + quoted(node.name) + " (" + node.op + ")";
}

const char* name_of(AttributeType type) {
  switch (type) {
    case AttributeType::integer:
      return "an integer";
    case AttributeType::real:
      return "a real number";
    case AttributeType::text:
      return "a string";
    case AttributeType::integers:
      return "a list of integers";
    case AttributeType::reals:
      return "a list of real numbers";
  }
  return "unknown";
}

std::optional<double> real_of(const json::Value& value) {
  if (const auto* const real = value.get<double>()) return *real;
  if (const auto* const integer = value.get<std::int64_t>()) return static_cast<double>(*integer);
  return std::nullopt;
}

std::optional<std::int64_t> integer_of(const json::Value& value) {
  const auto* const integer = value.get<std::int64_t>();
  return integer ? std::optional(*integer) : std::nullopt;
}

template <typename T>
std::optional<Attribute> list_of(const json::Value& value,
                                 std::optional<T> (*read)(const json::Value&)) {
  const auto* const items = value.get<json::Value::Array>();
  if (!items) return std::nullopt;
  std::vector<T> list;
  list.reserve(items->size());
  for (const json::Value& item : *items) {
    const std::optional<T> element = read(item);
    if (!element) return std::nullopt;
    list.push_back(*element);
  }
  return list;
}

// Nothing where the value is not of that type.
std::optional<Attribute> attribute_of(const json::Value& value, AttributeType type) {
  switch (type) {
    case AttributeType::integer:
      return integer_of(value);
    case AttributeType::real:
      return real_of(value);
    case AttributeType::text:
      if (const auto* const text = value.get<std::string>()) return *text;
      return std::nullopt;
    case AttributeType::integers:
      return list_of<std::int64_t>(value, integer_of);
    case AttributeType::reals:
      return list_of<double>(value, real_of);
  }
  return std::nullopt;
}

std::string known_names(const Operator& op) {
  std::string names;
  for (const AttributeSpec& spec : op.attributes)
    names += (names.empty() ? "" : ", ") + std::string(spec.name);
  return names.empty() ? "it has none" : "it has " + names;
}

std::string allowed_count(int least, int most) {
  if (most < 0) return "at least " + std::to_string(least);
  if (least == most) return std::to_string(least);
  return std::to_string(least) + " to " + std::to_string(most);
}

// One side of a node: its inputs or its outputs.
void check_names(const NodeText& node, const std::vector<std::string>& names, const char* what,
                 int least, int most, const std::string& source) {
  const auto count = names.size();
  if (count < static_cast<std::size_t>(least) ||
      (most >= 0 && count > static_cast<std::size_t>(most))) {
    refuse(source, FileFault::arity,
           describe(node) + " has " + std::to_string(count) + ' ' + what +
               ", but its operator takes " + allowed_count(least, most));
  }
  const auto absent = std::find(names.begin(), names.begin() + least, "");
  if (absent != names.begin() + least) {
    refuse(source, FileFault::arity,
           describe(node) + " leaves out number " + std::to_string(absent - names.begin()) +
               " of its " + what + ", which its operator cannot do without");
  }
}

}  // namespace

void check_operators(const std::vector<NodeText>& nodes, const std::string& source) {
  constexpr std::size_t kNodesListed = 10;
  std::map<std::string, std::vector<const NodeText*>> unknown;
  for (const NodeText& node : nodes) {
    if (!find_operator(node.op)) unknown[node.op].push_back(&node);
  }
  if (unknown.empty()) return;
  std::string list;
  for (const auto& [op, users] : unknown) {
    list += (list.empty() ? "" : ", ") + quoted(op) + (users.size() == 1 ? " (node " : " (nodes ");
    for (std::size_t i = 0; i < std::min(users.size(), kNodesListed); ++i) {
      list += (i == 0 ? "" : ", ") + quoted(users[i]->name);
    }
    if (users.size() > kNodesListed)
      list += " and " + std::to_string(users.size() - kNodesListed) + " more";
    list += ')';
  }
  refuse(source, FileFault::operator_unknown,
         (unknown.size() == 1 ? "1 operator is not known: "
                              : std::to_string(unknown.size()) + " operators are not known: ") +
             list);
}

void check_arity(const NodeText& node, const Operator& op, const std::string& source) {
  check_names(node, node.inputs, "inputs", op.min_inputs, op.max_inputs, source);
  check_names(node, node.outputs, "outputs", op.min_outputs, op.max_outputs, source);
}

Attributes read_attributes(const NodeText& node, const Operator& op, const std::string& source) {
  Attributes attributes;
  for (const json::Member& member : node.attributes) {
    const auto spec =
        std::find_if(op.attributes.begin(), op.attributes.end(),
                     [&](const AttributeSpec& candidate) { return candidate.name == member.key; });
    const auto say = [&](FileFault fault, const std::string& problem) {
      refuse(source, fault, describe(node) + ": attribute " + quoted(member.key) + problem);
    };
    if (spec == op.attributes.end()) {
      say(FileFault::attribute_unknown, " is not known to its operator; " + known_names(op));
    }
    std::optional<Attribute> value = attribute_of(member.value, spec->type);
    if (!value) say(FileFault::attribute_type, std::string(" is not ") + name_of(spec->type));
    if (const auto* const list = std::get_if<std::vector<std::int64_t>>(&*value)) {
      for (const std::int64_t number : *list) {
        if (number < -kMaxListed || number > kMaxListed) {
          say(FileFault::attribute_range,
              " holds " + std::to_string(number) + ", which is beyond 32 bits");
        }
      }
    }
    attributes.set(member.key, std::move(*value));
  }
  for (const AttributeSpec& spec : op.attributes) {
    const std::string name(spec.name);
    if (attributes.has(name)) continue;
    if (spec.required) {
      refuse(source, FileFault::attribute_missing,
             describe(node) + " has no attribute " + quoted(name) +
                 ", which its operator cannot do without");
    }
    attributes.set(name, spec.fallback);
  }
  return attributes;
}

}  // namespace pdrt
