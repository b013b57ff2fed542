// What may be a name in a .pdrt file: of a node, a value or a free dimension.
#pragma once

#include <string>
#include <string_view>

#include "model/fault.h"

namespace pdrt {

constexpr std::size_t kMaxNameBytes = 1024;

// `what` says whose name it is: "'name' of node 3". The name is valid UTF-8 already: the JSON
// reader saw to that.
inline void check_name(std::string_view name, const std::string& source, const std::string& what) {
  const auto say = [&](const std::string& problem) {
    refuse(source, FileFault::name_invalid, what + problem);
  };
  if (name.empty()) say(" is empty");
  if (name.size() > kMaxNameBytes)
    say(" is longer than " + std::to_string(kMaxNameBytes) + " bytes");
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) say(" has a control character: " + quoted(name));
  }
}

}  // namespace pdrt
