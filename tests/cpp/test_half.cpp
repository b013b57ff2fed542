// Halves and floats: every half there is, and floats between two of them.
#include <cmath>
#include <cstdint>

#include "check.h"
#include "run/device/half.h"

namespace {

using pdrt::run::device::float_of_half;
using pdrt::run::device::half_of_float;

constexpr std::uint16_t kInfinity = 0x7c00;

void every_half_comes_back() {
  for (std::uint32_t bits = 0; bits <= 0xffff; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float number = float_of_half(half);
    if ((half & 0x7fff) > kInfinity) {
      CHECK(std::isnan(number) && (half_of_float(number) & 0x7fff) > kInfinity);
    } else {
      CHECK(half_of_float(number) == half);
    }
  }
}

// Between a half and the next: to the nearer, and from the middle to the even one.
void floats_are_rounded() {
  for (std::uint16_t half = 0; half < kInfinity; ++half) {
    const auto next = static_cast<std::uint16_t>(half + 1);
    const float low = float_of_half(half), high = next == kInfinity ? 65536 : float_of_half(next);
    const float middle = low + (high - low) / 2;
    CHECK(half_of_float(middle) == (half % 2 == 0 ? half : next));
    CHECK(half_of_float(std::nextafter(middle, low)) == half);
    CHECK(half_of_float(std::nextafter(middle, high)) == next);
    CHECK(half_of_float(-middle) == (0x8000 | half_of_float(middle)));
  }
  CHECK(half_of_float(65536) == kInfinity);
  CHECK(half_of_float(1e30f) == kInfinity);
  CHECK(half_of_float(-HUGE_VALF) == (0x8000 | kInfinity));
}

}  // namespace

int main() {
  every_half_comes_back();
  floats_are_rounded();
  return check::report();
}
