// JSON as a .pdrt file uses it, written compactly and read strictly: RFC 8259 with no repeated
// keys, no numbers that a 64-bit integer or a double cannot hold, no text that is not Unicode, and
// bounds on depth and size.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pdrt::json {

struct Member;

struct Value {
  using Array = std::vector<Value>;
  using Object = std::vector<Member>;  // in the order of the text

  // A number without fraction and exponent is an integer; "-0" is a double, for it has a sign to
  // keep.
  std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, Array, Object> data =
      nullptr;

  // The content where the value is of that type, else nullptr.
  template <typename T>
  const T* get() const {
    return std::get_if<T>(&data);
  }
};

struct Member {
  std::string key;
  Value value;
  std::size_t offset = 0;  // of the key, in bytes from the start of the text
};

// "null", "a boolean", "an integer", "a real number", "a string", "a list" or "an object", for
// messages.
const char* kind_of(const Value& value);
// nullptr where there is no such key.
const Value* find(const Value::Object& object, std::string_view key);

constexpr int kMaxDepth = 16;
constexpr int kMaxValues =
    1 << 20;  // of any kind, in one text; bounds the memory a small text can ask for

// Reads one value, which may have white space around it. `source` and `document` ("header") are for
// the message: "net.pdrt: json_syntax: header, byte 17: ...".
Value parse(std::string_view text, const std::string& source, const std::string& document);

// The text of a value, in ASCII and without white space: what Python's json.dumps gives for it with
// separators=(",", ":"). Numbers must be finite.
std::string write(const Value& value);

}  // namespace pdrt::json
