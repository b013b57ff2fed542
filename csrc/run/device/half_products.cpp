#include "run/device/half_products.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace pdrt::run::device {
namespace {

constexpr float kLargest = 65504, kLeast = 0x1p-14f;  // of normal halves

float largest_of(const plan::ConvolutionForm& form) {
  const std::int64_t count = form.kernels * form.columns();
  float largest = 0;
  for (std::int64_t i = 0; i < count; ++i) largest = std::max(largest, std::fabs(form.weights[i]));
  return largest;
}

}  // namespace

HalfProducts half_products(const Builder& builder, const plan::ConvolutionForm& form, int tile) {
  HalfProducts result;
  if (!builder.half_arithmetic) return result;
  // Tiles of 2x2 double the error that halves have without Winograd's algorithm; larger ones make
  // it five times as large.
  constexpr int kLargestTile = 2;
  if (tile > kLargestTile) {
    result.refused = "in halves: rounding errors of such tiles would be too large";
    return result;
  }
  // Between those a half rounds the largest weight like any other number. What F(2x2) transforms
  // grows to (1/2 + 1/2 + 1/2)^2 times the largest at most.
  const float largest = largest_of(form), grown = tile == 0 ? largest : 2.25f * largest;
  result.used = largest == 0 || (largest >= kLeast && grown <= kLargest);
  if (!result.used) {
    char text[96];
    std::snprintf(text, sizeof text, "in halves: its largest weight, %.3g, is none from %.3g to %g",
                  static_cast<double>(largest), static_cast<double>(kLeast),
                  static_cast<double>(kLargest) / (tile == 0 ? 1 : 2.25));
    result.refused = text;
  }
  return result;
}

}  // namespace pdrt::run::device
