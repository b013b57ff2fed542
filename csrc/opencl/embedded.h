// What cmake/embed.cmake writes from kernels/.
#pragma once

#include <cstddef>

namespace pdrt::opencl {

struct EmbeddedSource {
  const char* name;
  const unsigned char* text;  // bytes, since compilers limit the length of strings
  std::size_t size;
};

// Ends with an entry without a name.
const EmbeddedSource* embedded_sources();

}  // namespace pdrt::opencl
