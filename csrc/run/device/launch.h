// A launch as a plan prepares it: a program with its options, and what its arguments are. A
// workspace makes kernels of it, whose arguments are set once and for all.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "opencl/context.h"

namespace pdrt::run::device {

// Buffers that each workspace or plan has one of.
enum class Role {
  planes,
  dense,
  parameters,
  stages,
  lists,
  flags,
  arrays,  // inputs and outputs as the caller has them
};

using SharedBuffer = std::shared_ptr<const opencl::Buffer>;

// An argument structure, by value.
struct Bytes {
  std::vector<std::byte> data;
};

template <typename Arguments>
Bytes bytes_of(const Arguments& arguments) {
  Bytes bytes;
  bytes.data.resize(sizeof(Arguments));
  std::memcpy(bytes.data.data(), &arguments, sizeof(Arguments));
  return bytes;
}

using Argument = std::variant<Role, SharedBuffer, Bytes>;

struct LaunchSpec {
  std::string program;  // file in kernels/, without .cl; the function has its name
  std::string options;
  std::vector<Argument> arguments;
  std::array<std::size_t, 3> local{1, 1, 1};
};

}  // namespace pdrt::run::device
