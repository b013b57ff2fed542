// exp, sigmoid and tanh on vectors, to within 2.5 units in the last place; NaN stays NaN.
//
// The polynomials are least-maximum-error fits of the relative error on the reduced interval. No
// expression here leaves the compiler a choice of which product to fuse with a sum, so that every
// place these are inlined gives the same bits.
#pragma once

#include "cpu/isa/simd.h"

namespace pdrt::cpu::PDRT_ISA {

// NaN stays; `low` wins nothing where low > high: the result is high, as in ONNX.
PDRT_INLINE Floats clamp(Floats x, Floats low, Floats high) {
  return at_most(at_least(x, low), high);
}

// 0 below -104 and Inf above 88.73, subnormal results included.
PDRT_INLINE Floats exponential(Floats x) {
  using Unsigned = std::uint32_t __attribute__((vector_size(PDRT_VECTOR_BYTES)));
  constexpr float kLog2OfE = 0x1.715476p+0f;
  constexpr float kLn2High = 0x1.63p-1f;  // few bits: its product with n is exact
  constexpr float kLn2Low = -0x1.bd0106p-13f;
  constexpr float kRound = 0x1.8p+23f;  // adding it rounds to an integer, found in the low bits
  x = clamp(x, splat(-104), splat(89));
  const Floats shifted = x * kLog2OfE + kRound;
  const Floats n = shifted - kRound;
  Floats r = x - n * kLn2High;
  r = r - n * kLn2Low;
  // exp(r) = 1 + r + r² p(r) for |r| <= ln 2 / 2
  Floats p = splat(0x1.6a2450p-10f);
  p = p * r + 0x1.1239d4p-7f;
  p = p * r + 0x1.5558f2p-5f;
  p = p * r + 0x1.555492p-3f;
  p = p * r + 0x1.fffffcp-2f;
  const Floats square = r * r;
  p = p * square + r;
  p = p + 1.0f;
  // Two powers of two, since 2^n alone need not be a float.
  const Words exponent = bits(shifted) - bits(splat(kRound));
  const Words half = exponent >> 1;
  const Unsigned first = (reinterpret_cast<Unsigned>(half) + 127u) << 23;
  const Unsigned second = (reinterpret_cast<Unsigned>(exponent - half) + 127u) << 23;
  return p * reinterpret_cast<Floats>(first) * reinterpret_cast<Floats>(second);
}

PDRT_INLINE Floats sigmoid(Floats x) {
  const Floats e = exponential(-magnitude(x));  // at most 1, so that nothing overflows
  return (x < 0 ? e : splat(1)) / (1.0f + e);
}

PDRT_INLINE Floats tanh(Floats x) {
  const Floats size = magnitude(x);
  // Large: 1 - 2 / (exp(2 |x|) + 1), with the sign of x.
  const Floats large = 1.0f - 2.0f / (exponential(size + size) + 1.0f);
  const Floats with_sign = floats(bits(large) | (bits(x) & static_cast<std::int32_t>(0x80000000)));
  // Small, where that would cancel: x + x³ p(x²).
  const Floats square = x * x;
  Floats p = splat(-0x1.76ac2cp-8f);
  p = p * square + 0x1.5256dcp-6f;
  p = p * square - 0x1.b8444ap-5f;
  p = p * square + 0x1.110768p-3f;
  p = p * square - 0x1.555534p-2f;
  const Floats cube = square * x;
  return size < 0.625f ? cube * p + x : with_sign;
}

}  // namespace pdrt::cpu::PDRT_ISA
