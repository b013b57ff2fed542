// Half precision on a host that may not know it.
#pragma once

#include <cstdint>

namespace pdrt::run::device {

float float_of_half(std::uint16_t half);
std::uint16_t half_of_float(
    float number);  // to the nearest, ties to even; Inf where it is too large

}  // namespace pdrt::run::device
