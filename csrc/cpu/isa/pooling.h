// What pools of every kind share.
#pragma once

#include "cpu/isa/functions.h"

namespace pdrt::cpu::PDRT_ISA {

template <bool kMaximum>
PDRT_INLINE Floats combine(Floats x, Floats y) {
  return kMaximum ? larger(x, y) : x + y;
}

template <bool kMaximum>
PDRT_INLINE float combine(float x, float y) {
  return kMaximum ? (y > x || y != y ? y : x) : x + y;
}

// What changes nothing: where there is no pixel.
template <bool kMaximum>
constexpr float kNeutral = kMaximum ? -__builtin_inff() : 0.0f;

// The usual square windows, 2x2 and 3x3 at strides 1 and 2: maxima or sums of `task` into `out`,
// all of its flat range. Returns false, and does nothing, where the window is another.
bool pool_rows(const Pool& task, const float* in, const Plane& in_plane, float* out,
               const Plane& out_plane) noexcept;

}  // namespace pdrt::cpu::PDRT_ISA
