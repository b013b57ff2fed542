#include "run/device/half.h"

#include <cmath>
#include <cstring>
#include <limits>

namespace pdrt::run::device {
namespace {

constexpr int kFractionBits = 10, kBias = 15, kLeast = 1 - kBias, kMost = 15;
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
  const std::uint16_t sign = std::signbit(number) ? kSign : 0;
  const float magnitude = std::fabs(number);
  if (std::isnan(number)) return static_cast<std::uint16_t>(sign | kNotANumber);
  if (magnitude == 0.0f) return sign;
  int exponent = 0;
  std::frexp(magnitude, &exponent);  // magnitude in [2^(exponent - 1), 2^exponent)
  const int least = exponent - 1 < kLeast ? kLeast : exponent - 1;
  // In units of the last place, which nearbyint() rounds to even.
  const float units = std::nearbyint(std::ldexp(magnitude, kFractionBits - least));
  const auto bits = static_cast<std::uint32_t>(units) +
                    (static_cast<std::uint32_t>(least + kBias - 1) << kFractionBits);
  if (least > kMost || bits >= kInfinity) return static_cast<std::uint16_t>(sign | kInfinity);
  return static_cast<std::uint16_t>(sign | bits);
}

}  // namespace pdrt::run::device
