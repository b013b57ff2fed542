#include "opencl/sources.h"

#include <string>

#include "opencl/embedded.h"
#include "pdrt/error.h"

namespace pdrt::opencl {

std::string_view source_of(std::string_view program) {
  for (const EmbeddedSource* source = embedded_sources(); source->name != nullptr; ++source) {
    if (source->name == program) {
      return {reinterpret_cast<const char*>(source->text), source->size};
    }
  }
  throw DeviceError("there is no OpenCL program '" + std::string(program) + "' in this version");
}

std::vector<std::string_view> all_programs() {
  std::vector<std::string_view> names;
  for (const EmbeddedSource* source = embedded_sources(); source->name != nullptr; ++source) {
    names.emplace_back(source->name);
  }
  return names;
}

}  // namespace pdrt::opencl
