#include "pdrt/attributes.h"

#include <stdexcept>

namespace pdrt {

namespace {

template <typename T>
const T& get(const std::map<std::string, Attribute>& values, const std::string& name,
             const char* type) {
  const auto found = values.find(name);
  const T* const value = found == values.end() ? nullptr : std::get_if<T>(&found->second);
  if (!value) throw std::logic_error("attribute '" + name + "' is not declared as " + type);
  return *value;
}

}  // namespace

std::int64_t Attributes::integer(const std::string& name) const {
  return get<std::int64_t>(values_, name, "integer");
}

double Attributes::real(const std::string& name) const {
  return get<double>(values_, name, "real");
}

const std::string& Attributes::text(const std::string& name) const {
  return get<std::string>(values_, name, "text");
}

const std::vector<std::int64_t>& Attributes::integers(const std::string& name) const {
  return get<std::vector<std::int64_t>>(values_, name, "integers");
}

const std::vector<double>& Attributes::reals(const std::string& name) const {
  return get<std::vector<double>>(values_, name, "reals");
}

}  // namespace pdrt
