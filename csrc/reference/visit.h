// From an element type known at run time to one known at compile time.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <type_traits>

#include "pdrt/tensor.h"

namespace pdrt::reference {

// A bool of which any byte of a file is a valid value: zero is false, everything else is true.
struct Boolean {
  std::uint8_t byte = 0;

  Boolean() = default;
  Boolean(bool value) : byte(value) {}         // NOLINT: implicit on purpose, it stands for a bool
  operator bool() const { return byte != 0; }  // NOLINT
};

template <typename T>
struct Type {
  using type = T;
};

[[noreturn]] inline void refuse_dtype() {
  throw std::logic_error("an element type reached an operator whose inference does not allow it");
}

// Each calls f(Type<T>{}) with the element type T that stands for `dtype`.

template <typename F>
void visit_floats(DType dtype, F f) {
  switch (dtype) {
    case DType::f32:
      return f(Type<float>{});
    case DType::f64:
      return f(Type<double>{});
    default:
      refuse_dtype();
  }
}

template <typename F>
void visit_integers(DType dtype, F f) {
  switch (dtype) {
    case DType::i32:
      return f(Type<std::int32_t>{});
    case DType::i64:
      return f(Type<std::int64_t>{});
    case DType::u8:
      return f(Type<std::uint8_t>{});
    default:
      refuse_dtype();
  }
}

template <typename F>
void visit_numbers(DType dtype, F f) {
  if (dtype == DType::f32 || dtype == DType::f64) return visit_floats(dtype, f);
  visit_integers(dtype, f);
}

template <typename F>
void visit_all(DType dtype, F f) {
  if (dtype == DType::boolean) return f(Type<Boolean>{});
  visit_numbers(dtype, f);
}

// For operators that only move elements: T is an unsigned integer of the element's size.
template <typename F>
void visit_sizes(DType dtype, F f) {
  switch (size_of(dtype)) {
    case 1:
      return f(Type<std::uint8_t>{});
    case 4:
      return f(Type<std::uint32_t>{});
    case 8:
      return f(Type<std::uint64_t>{});
    default:
      refuse_dtype();
  }
}

}  // namespace pdrt::reference
