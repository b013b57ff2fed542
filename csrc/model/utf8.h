// Where the characters of a text end: UTF-8, strictly.
#pragma once

#include <cstddef>
#include <string_view>

namespace pdrt {

// Bytes of the character the text starts with; 0 where that is no well-formed UTF-8 (overlong, a
// surrogate, beyond U+10FFFF, cut off) or the text is empty.
inline std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
  const unsigned lead = byte(0);
  const unsigned next = byte(1);
  if (lead < 0x80) return text.empty() ? 0 : 1;
  if (lead >= 0xC2 && lead <= 0xDF && continues(1)) return 2;
  if (lead >= 0xE0 && lead <= 0xEF && continues(1) && continues(2) &&
      !(lead == 0xE0 && next < 0xA0) && !(lead == 0xED && next > 0x9F)) {
    return 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4 && continues(1) && continues(2) && continues(3) &&
      !(lead == 0xF0 && next < 0x90) && !(lead == 0xF4 && next > 0x8F)) {
    return 4;
  }
  return 0;
}

}  // namespace pdrt
