#include "model/json.h"

#include <algorithm>
#include <charconv>

#include "model/fault.h"
#include "model/utf8.h"

namespace pdrt::json {

namespace {

// The offset of the first byte that is not part of well-formed UTF-8, or text.size().
std::size_t find_invalid_utf8(std::string_view text) {
  std::size_t at = 0;
  while (const std::size_t length = utf8_length(text.substr(at))) at += length;
  return at;
}

void append_utf8(std::string& text, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

class Parser {
 public:
  Parser(std::string_view text, const std::string& source, const std::string& document)
      : text_(text), source_(source), document_(document) {}

  Value document() {
    const std::size_t invalid = find_invalid_utf8(text_);
    if (invalid < text_.size()) fail(FileFault::json_encoding, invalid, "this is not UTF-8");
    Value result = value(0);
    skip_space();
    if (at_ < text_.size()) fail(FileFault::json_syntax, at_, "expected the end, found " + found());
    return result;
  }

 private:
  [[noreturn]] void fail(FileFault fault, std::size_t offset, const std::string& sentence) const {
    refuse(source_, fault, document_ + ", byte " + std::to_string(offset) + ": " + sentence);
  }

  [[noreturn]] void expected(const char* what) const {
    fail(FileFault::json_syntax, at_, std::string("expected ") + what + ", found " + found());
  }

  std::string found() const {
    if (at_ >= text_.size()) return "the end";
    std::size_t length = 1;  // of the UTF-8 character
    while (at_ + length < text_.size() &&
           (static_cast<unsigned char>(text_[at_ + length]) & 0xC0) == 0x80)
      ++length;
    return quoted(text_.substr(at_, length));
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool is_digit() const { return peek() >= '0' && peek() <= '9'; }

  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
      ++at_;
    }
  }

  Value value(int depth) {
    skip_space();
    if (++values_ > kMaxValues) {
      fail(FileFault::json_too_large, at_, "more than " + std::to_string(kMaxValues) + " values");
    }
    const char c = peek();
    if (c == '{' || c == '[') {
      if (depth == kMaxDepth) {
        fail(FileFault::json_depth, at_, "nested more than " + std::to_string(kMaxDepth) + " deep");
      }
      return c == '{' ? Value{object(depth + 1)} : Value{array(depth + 1)};
    }
    if (c == '"') return Value{string()};
    if (c == '-' || is_digit()) return number();
    if (take_word("true")) return Value{true};
    if (take_word("false")) return Value{false};
    if (take_word("null")) return Value{nullptr};
    expected("a value");
  }

  bool take_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  Value::Array array(int depth) {
    Value::Array items;
    ++at_;
    skip_space();
    if (take(']')) return items;
    do {
      items.push_back(value(depth));
      skip_space();
    } while (take(','));
    if (!take(']')) expected("',' or ']'");
    return items;
  }

  Value::Object object(int depth) {
    Value::Object members;
    ++at_;
    skip_space();
    if (take('}')) return members;
    do {
      skip_space();
      if (peek() != '"') expected("a key in double quotes");
      Member member;
      member.offset = at_;
      member.key = string();
      skip_space();
      if (!take(':')) expected("':'");
      member.value = value(depth);
      members.push_back(std::move(member));
      skip_space();
    } while (take(','));
    if (!take('}')) expected("',' or '}'");
    refuse_duplicates(members);
    return members;
  }

  void refuse_duplicates(const Value::Object& members) const {
    std::vector<const Member*> sorted;
    sorted.reserve(members.size());
    for (const Member& member : members) sorted.push_back(&member);
    std::sort(sorted.begin(), sorted.end(), [](const Member* a, const Member* b) {
      const int order = a->key.compare(b->key);
      return order != 0 ? order < 0 : a->offset < b->offset;
    });
    for (std::size_t i = 1; i < sorted.size(); ++i) {
      if (sorted[i]->key == sorted[i - 1]->key) {
        fail(FileFault::json_duplicate_key, sorted[i]->offset,
             "the key " + quoted(sorted[i]->key) + " was given before, at byte " +
                 std::to_string(sorted[i - 1]->offset));
      }
    }
  }

  std::string string() {
    std::string result;
    ++at_;
    for (;;) {
      const std::size_t plain = at_;
      while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\' &&
             static_cast<unsigned char>(text_[at_]) >= 0x20) {
        ++at_;
      }
      result.append(text_, plain, at_ - plain);
      if (take('"')) return result;
      if (!take('\\')) expected("the rest of a string");
      escape(result);
    }
  }

  void escape(std::string& result) {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (take('u')) {
      append_utf8(result, unicode_escape());
      return;
    }
    const std::size_t letter =
        at_ < text_.size() ? kLetters.find(text_[at_]) : std::string_view::npos;
    if (letter == std::string_view::npos) expected("one of \" \\ / b f n r t u after '\\'");
    ++at_;
    result += kMeanings[letter];
  }

  // After "\u": four hexadecimal digits, and the second half of a pair where they are the first.
  std::uint32_t unicode_escape() {
    const std::size_t start = at_ - 2;
    const std::uint32_t first = hex4();
    if (first < 0xD800 || first > 0xDFFF) return first;
    if (first <= 0xDBFF && take('\\') && take('u')) {
      const std::uint32_t second = hex4();
      if (second >= 0xDC00 && second <= 0xDFFF)
        return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
    }
    fail(FileFault::json_encoding, start, "half a surrogate pair");
  }

  std::uint32_t hex4() {
    std::uint32_t code = 0;
    const char* const first = text_.data() + at_;
    const char* const last = first + std::min<std::size_t>(4, text_.size() - at_);
    const auto parsed = std::from_chars(first, last, code, 16);
    if (parsed.ptr != first + 4) expected("four hexadecimal digits after '\\u'");
    at_ += 4;
    return code;
  }

  Value number() {
    const std::size_t start = at_;
    const bool negative = take('-');
    if (!take('0')) digits();
    bool integer = !(negative && text_[at_ - 1] == '0' && at_ - start == 2);  // "-0"
    if (take('.')) {
      integer = false;
      digits();
    }
    if (take('e') || take('E')) {
      integer = false;
      if (!take('-')) take('+');
      digits();
    }
    const std::string_view digits = text_.substr(start, at_ - start);
    return integer ? convert<std::int64_t>(digits, start, "64-bit integer")
                   : convert<double>(digits, start, "double");
  }

  void digits() {
    if (!is_digit()) expected("a digit");
    while (is_digit()) ++at_;
  }

  template <typename T>
  Value convert(std::string_view digits, std::size_t start, const char* type) const {
    T number{};
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (parsed.ec != std::errc()) {
      fail(FileFault::json_number_range, start,
           quoted(digits) + " is out of the range of a " + type);
    }
    return Value{number};
  }

  std::string_view text_;
  const std::string& source_;
  const std::string& document_;
  std::size_t at_ = 0;
  int values_ = 0;
};

}  // namespace

const char* kind_of(const Value& value) {
  constexpr const char* kNames[] = {"null",     "a boolean", "an integer", "a real number",
                                    "a string", "a list",    "an object"};
  return kNames[value.data.index()];
}

const Value* find(const Value::Object& object, std::string_view key) {
  const auto found = std::find_if(object.begin(), object.end(),
                                  [&](const Member& member) { return member.key == key; });
  return found == object.end() ? nullptr : &found->value;
}

Value parse(std::string_view text, const std::string& source, const std::string& document) {
  return Parser(text, source, document).document();
}

}  // namespace pdrt::json
