// Arithmetic that is defined for every value: integers wrap around, conversions saturate, NaN stays
// NaN.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "reference/visit.h"

namespace pdrt::reference {

template <typename T>
constexpr bool is_real = std::is_floating_point_v<T>;

// What sums of T are kept in: double for reals; for integers an unsigned word, whose overflow is
// modular.
template <typename T>
using Sum = std::conditional_t<is_real<T>, double, std::uint64_t>;

// What one sum or product of T is computed in: T itself for reals, an unsigned integer no narrower
// than int otherwise.
template <typename T>
using Word = std::conditional_t<is_real<T>, T,
                                std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>>;

template <typename T>
T add(T a, T b) {
  return static_cast<T>(static_cast<Word<T>>(a) + static_cast<Word<T>>(b));
}
template <typename T>
T subtract(T a, T b) {
  return static_cast<T>(static_cast<Word<T>>(a) - static_cast<Word<T>>(b));
}
template <typename T>
T multiply(T a, T b) {
  return static_cast<T>(static_cast<Word<T>>(a) * static_cast<Word<T>>(b));
}

template <typename T>
bool is_nan(T x) {
  if constexpr (is_real<T>) return std::isnan(x);
  return false;
}

// IEEE 754-2019 maximum and minimum: a NaN on either side is the result.
template <typename T>
T maximum(T a, T b) {
  return is_nan(a) || a > b ? a : b;
}
template <typename T>
T minimum(T a, T b) {
  return is_nan(a) || a < b ? a : b;
}
inline Boolean maximum(Boolean a, Boolean b) { return a || b; }
inline Boolean minimum(Boolean a, Boolean b) { return a && b; }

template <typename T>
T magnitude(T x) {
  if constexpr (is_real<T>) {
    return std::abs(x);
  } else {
    return x < T(0) ? subtract(T(0), x) : x;
  }
}

// A total order for sorting: NaN is greater than every number.
template <typename T>
bool ordered_less(T a, T b) {
  return is_nan(b) ? !is_nan(a) : a < b;
}

// To a real: rounded. To bool: is it not zero. Integer to integer: wraps. Real to integer: towards
// zero, saturating; NaN is 0.
template <typename To, typename From>
To convert(From x) {
  if constexpr (std::is_same_v<To, Boolean>) {
    return x != From(0);
  } else if constexpr (std::is_same_v<From, Boolean>) {
    return static_cast<To>(static_cast<bool>(x));
  } else if constexpr (is_real<From> && !is_real<To>) {
    if (is_nan(x)) return 0;
    // The bounds are powers of two or 0, so they are exact in both real types.
    const From low = static_cast<From>(std::numeric_limits<To>::min());
    const From past = std::ldexp(From(1), std::numeric_limits<To>::digits);
    if (x < low) return std::numeric_limits<To>::min();
    if (x >= past) return std::numeric_limits<To>::max();
    return static_cast<To>(x);
  } else {
    return static_cast<To>(x);
  }
}

}  // namespace pdrt::reference
