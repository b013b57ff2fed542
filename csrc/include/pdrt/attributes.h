// The attributes of a node: a small ordered map from name to number, text or list.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace pdrt {

using Attribute =
    std::variant<std::int64_t, double, std::string, std::vector<std::int64_t>, std::vector<double>>;

// In a loaded model it holds every attribute of the node's operator: the loader fills in the
// defaults of the operator table, so the getters below never miss; asking for a name or type the
// table does not declare is a programming error (logic_error).
class Attributes {
 public:
  Attributes() = default;
  Attributes(std::initializer_list<std::pair<const std::string, Attribute>> values)
      : values_(values) {}

  void set(const std::string& name, Attribute value) { values_[name] = std::move(value); }
  bool has(const std::string& name) const { return values_.count(name) != 0; }
  std::int64_t integer(const std::string& name) const;
  double real(const std::string& name) const;
  const std::string& text(const std::string& name) const;
  const std::vector<std::int64_t>& integers(const std::string& name) const;
  const std::vector<double>& reals(const std::string& name) const;
  const std::map<std::string, Attribute>& all() const { return values_; }

 private:
  std::map<std::string, Attribute> values_;
};

}  // namespace pdrt
