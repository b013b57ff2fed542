// Checks for the C++ tests: each failure prints where and what, the program goes on, and report()
// sums up.
//
//   int main() {
//     CHECK(1 + 1 == 2);
//     CHECK_THROWS(load("missing"), pdrt::ModelError, "file_unreadable");
//     return check::report();
//   }
#pragma once

#include <cstdio>
#include <exception>
#include <string>
#include <typeinfo>

namespace check {

struct Tally {
  int passed = 0;
  int failed = 0;
};

inline Tally& tally() {
  static Tally counts;
  return counts;
}

inline void record(bool ok, const char* file, int line, const char* code,
                   const std::string& detail = "") {
  if (ok) {
    ++tally().passed;
    return;
  }
  ++tally().failed;
  std::fprintf(stderr, "%s:%d: failed: %s%s%s\n", file, line, code, detail.empty() ? "" : ": ",
               detail.c_str());
}

// Passes where `call` throws an Expected whose message contains `substring`.
template <typename Expected, typename Call>
void throws(const Call& call, const std::string& substring, const char* file, int line,
            const char* code) {
  try {
    call();
  } catch (const Expected& error) {
    const std::string message = error.what();
    record(message.find(substring) != std::string::npos, file, line, code,
           "expected \"" + substring + "\" in \"" + message + "\"");
    return;
  } catch (const std::exception& error) {
    record(false, file, line, code,
           std::string("threw ") + typeid(error).name() + ": " + error.what());
    return;
  }
  record(false, file, line, code, "threw nothing");
}

// Prints "N passed, N failed"; the value is for main to return. A program that checked nothing has
// failed.
inline int report() {
  std::printf("%d passed, %d failed\n", tally().passed, tally().failed);
  return tally().failed == 0 && tally().passed > 0 ? 0 : 1;
}

}  // namespace check

#define CHECK(...) check::record(static_cast<bool>(__VA_ARGS__), __FILE__, __LINE__, #__VA_ARGS__)

#define CHECK_THROWS(expr, Type, substring) \
  check::throws<Type>([&] { static_cast<void>(expr); }, substring, __FILE__, __LINE__, #expr)
