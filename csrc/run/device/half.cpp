#include "run/device/half.h"

#include <cmath>
#include <cstring>
#include <limits>

namespace pdrt::run::device {
namespace {

constexpr int kFractionBits = 10, kBias = 15, kLeast = 1 - kBias;
constexpr std::uint16_t kInfinity = 0x7c00, kNotANumber = 0x7e00, kSign = 0x8000;

}  // namespace

float float_of_half(std::uint16_t half) {
  const int exponent = half >> kFractionBits & 31, fraction = half & 1023;
  float magnitude = 0;
  if (exponent == 31) {
    magnitude = fraction == 0 ? std::numeric_limits<float>::infinity()
                              : std::numeric_limits<float>::quiet_NaN();
  } else if (exponent == 0) {
    magnitude = std::ldexp(static_cast<float>(fraction), kLeast - kFractionBits);
  } else {
    magnitude = std::ldexp(static_cast<float>(fraction + 1024), exponent - kBias - kFractionBits);
  }
  return (half & kSign) != 0 ? -magnitude : magnitude;
}

std::uint16_t half_of_float(float number) {
  constexpr int kDropped = 23 - kFractionBits;  // bits of a float's fraction
  std::uint32_t bits = 0;
  std::memcpy(&bits, &number, sizeof bits);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & kSign);
  if (std::isnan(number)) return static_cast<std::uint16_t>(sign | kNotANumber);
  const float magnitude = std::fabs(number);
  if (magnitude >= 0x1p16f) return static_cast<std::uint16_t>(sign | kInfinity);
  if (magnitude < 0x1p-14f) {
    // Multiples of 2^-24, a half's least number: the last place of floats from 1/2 on.
    const float shifted = magnitude + 0.5f;
    std::memcpy(&bits, &shifted, sizeof bits);
    return static_cast<std::uint16_t>(sign | (bits & 0x7ff));
  }
  bits &= 0x7fffffff;
  bits += (1u << (kDropped - 1)) - 1 + (bits >> kDropped & 1);  // to the nearest, ties to even
  const std::uint32_t rebias = static_cast<std::uint32_t>(127 - kBias) << kFractionBits;
  return static_cast<std::uint16_t>(sign | ((bits >> kDropped) - rebias));
}

}  // namespace pdrt::run::device
