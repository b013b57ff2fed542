#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

#include "model/json.h"
#include "model/utf8.h"

namespace pdrt::json {

namespace {

class Writer {
 public:
  void put(const Value& value) {
    std::visit([&](const auto& content) { put(content); }, value.data);
  }

  std::string take() { return std::move(text_); }

 private:
  void put(std::nullptr_t) { text_ += "null"; }
  void put(bool truth) { text_ += truth ? "true" : "false"; }
  void put(std::int64_t number) { text_ += std::to_string(number); }

  // The fewest digits that read back as the same number, and never the form of an integer.
  void put(double number) {
    const double size = std::abs(number);
    const bool plain = number == 0 || (size >= 1e-4 && size < 1e16);
    char buffer[32];
    const auto written =
        std::to_chars(std::begin(buffer), std::end(buffer), number,
                      plain ? std::chars_format::fixed : std::chars_format::scientific);
    const std::string_view digits(buffer, static_cast<std::size_t>(written.ptr - buffer));
    text_ += digits;
    if (plain && digits.find('.') == std::string_view::npos) text_ += ".0";
  }

  void put(const std::string& text) {
    text_ += '"';
    for (std::string_view rest = text; !rest.empty();) {
      // What is not UTF-8 is passed on as it is, for the reader to refuse.
      const std::size_t length = std::max<std::size_t>(utf8_length(rest), 1);
      put_character(rest.substr(0, length));
      rest.remove_prefix(length);
    }
    text_ += '"';
  }

  void put(const Value::Array& items) {
    text_ += '[';
    for (const Value& item : items) {
      if (&item != items.data()) text_ += ',';
      put(item);
    }
    text_ += ']';
  }

  void put(const Value::Object& members) {
    text_ += '{';
    for (const Member& member : members) {
      if (&member != members.data()) text_ += ',';
      put(member.key);
      text_ += ':';
      put(member.value);
    }
    text_ += '}';
  }

  void put_character(std::string_view character) {
    constexpr std::string_view kMeanings = "\"\\\b\f\n\r\t";
    constexpr std::string_view kLetters = "\"\\bfnrt";
    const auto lead = static_cast<unsigned char>(character[0]);
    if (character.size() > 1) {
      std::uint32_t code = lead & (0x7Fu >> character.size());
      for (const char c : character.substr(1)) code = code << 6 | (c & 0x3F);
      if (code < 0x10000) return put_escape(code);
      put_escape(0xD800 + ((code - 0x10000) >> 10));
      put_escape(0xDC00 + ((code - 0x10000) & 0x3FF));
    } else if (const auto at = kMeanings.find(character[0]); at != std::string_view::npos) {
      text_ += {'\\', kLetters[at]};
    } else if (lead < 0x20 || lead == 0x7F) {
      put_escape(lead);
    } else {
      text_ += character[0];
    }
  }

  void put_escape(std::uint32_t unit) {
    constexpr char kHex[] = "0123456789abcdef";
    text_ +=
        {'\\', 'u', kHex[unit >> 12], kHex[unit >> 8 & 15], kHex[unit >> 4 & 15], kHex[unit & 15]};
  }

  std::string text_;
};

}  // namespace

std::string write(const Value& value) {
  Writer writer;
  writer.put(value);
  return writer.take();
}

}  // namespace pdrt::json
