// What the driver says about its objects, as C++ values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "opencl/error.h"

namespace pdrt::opencl {

// Handles are pointers, and are answered as such.
template <typename T>
inline constexpr std::size_t kAnswer = sizeof(T);  // NOLINT(bugprone-sizeof-expression)

// `ask` is one of the clGet...Info functions with its object bound: (which, bytes, to, size_back).
template <typename T, typename Ask>
T query(const Ask& ask, cl_uint which, std::string_view call) {
  T value{};
  check(ask(which, kAnswer<T>, &value, nullptr), call);
  return value;
}

template <typename T, typename Ask>
std::vector<T> query_list(const Ask& ask, cl_uint which, std::string_view call) {
  std::size_t bytes = 0;
  check(ask(which, 0, nullptr, &bytes), call);
  std::vector<T> values(bytes / kAnswer<T>);
  if (!values.empty()) check(ask(which, values.size() * kAnswer<T>, values.data(), nullptr), call);
  return values;
}

// Without the final zero, and without blanks at the ends: some vendors pad their names.
template <typename Ask>
std::string query_text(const Ask& ask, cl_uint which, std::string_view call) {
  const std::vector<char> bytes = query_list<char>(ask, which, call);
  const std::string text(bytes.begin(), bytes.end());
  constexpr std::string_view kBlank(" \t\n\r\0", 5);
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

}  // namespace pdrt::opencl
