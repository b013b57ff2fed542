// What the C++ tests need of a test framework: named cases, checks that print both sides, a count
// at the end.
//
//   TEST(adds_two_numbers) { CHECK_EQUAL(1 + 1, 2); }
//   int main() { return pdrt::test::run_all(); }
#pragma once

#include <exception>
#include <initializer_list>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace pdrt::test {

struct Case {
  const char* name;
  void (*body)();
};

inline std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}

inline int& failures() {
  static int count = 0;
  return count;
}

struct Registration {
  Registration(const char* name, void (*body)()) { cases().push_back({name, body}); }
};

inline void fail(const char* file, int line, const std::string& what) {
  std::cerr << file << ":" << line << ": " << what << "\n";
  ++failures();
}

template <typename A, typename B>
void check_equal(const A& a, const B& b, const char* text, const char* file, int line) {
  if (a == b) return;
  std::cerr << file << ":" << line << ": " << text << ": " << a << " is not " << b << "\n";
  ++failures();
}

// check_throws<pdrt::ModelError>([&] { load(bytes); }, {"conv1", "3x3"}): the call must throw that
// type, with a message that holds every one of the words.
template <typename E, typename F>
void check_throws(F call, std::initializer_list<std::string_view> words,
                  const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  try {
    call();
  } catch (const E& error) {
    for (std::string_view word : words) {
      if (std::string_view(error.what()).find(word) == std::string_view::npos) {
        fail(file, line,
             "'" + std::string(error.what()) + "' does not mention '" + std::string(word) + "'");
      }
    }
    return;
  } catch (const std::exception& error) {
    fail(file, line, "threw another type: " + std::string(error.what()));
    return;
  }
  fail(file, line, "did not throw");
}

inline int run_all() {
  for (const Case& test : cases()) {
    const int before = failures();
    try {
      test.body();
    } catch (const std::exception& error) {
      fail(test.name, 0, std::string("threw ") + error.what());
    }
    std::cout << (failures() == before ? "ok      " : "FAILED  ") << test.name << "\n";
  }
  std::cout << cases().size() << " cases, " << failures() << " failures\n";
  return failures() == 0 && !cases().empty() ? 0 : 1;
}

}  // namespace pdrt::test

#define TEST(name)                                                        \
  static void name();                                                     \
  static const pdrt::test::Registration registration_##name(#name, name); \
  static void name()
#define CHECK(condition) \
  ((condition) ? void() : pdrt::test::fail(__FILE__, __LINE__, "not true: " #condition))
#define CHECK_EQUAL(a, b) pdrt::test::check_equal((a), (b), #a " == " #b, __FILE__, __LINE__)
