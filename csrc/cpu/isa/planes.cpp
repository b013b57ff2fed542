// Planes as memory: filling, clearing, loading and storing them, and their sums and maxima.
#include "cpu/isa/functions.h"

namespace pdrt::cpu::PDRT_ISA {

static void clear(float* from, float* to) {
  if (from < to) std::memset(from, 0, static_cast<std::size_t>(to - from) * sizeof(float));
}

void fill(float* out, const Plane& plane, float value) noexcept {
  const Words x = bits(splat(value));
  for (int pixel = 0; pixel < plane.flat; pixel += kVector)
    store(out + pixel, floats(x & load(plane.mask + pixel)));
}

void clear_border(float* out, const Plane& plane) noexcept {
  clear(out - plane.lead, out);
  clear(out + plane.flat, out + plane.stride - plane.lead);
}

void load_plane(const float* in, std::int64_t in_row, std::int64_t in_pixel, float* out,
                const Plane& plane) noexcept {
  for (int y = 0; y < plane.height; ++y) {
    const float* from = in + y * in_row;
    float* to = out + static_cast<std::int64_t>(y) * plane.row;
    if (in_pixel == 1) {
      std::memcpy(to, from, static_cast<std::size_t>(plane.width) * sizeof(float));
    } else {
      for (int x = 0; x < plane.width; ++x) to[x] = from[x * in_pixel];
    }
    clear(to + plane.width, to + plane.row);
  }
  clear(out + static_cast<std::int64_t>(plane.height) * plane.row, out + plane.flat);
}

void store_plane(const float* in, const Plane& plane, float* out) noexcept {
  for (int y = 0; y < plane.height; ++y) {
    std::memcpy(out + static_cast<std::int64_t>(y) * plane.width,
                in + static_cast<std::int64_t>(y) * plane.row,
                static_cast<std::size_t>(plane.width) * sizeof(float));
  }
}

// In double: exact to the last bit of the float for any plane that fits in memory, and fast enough
// beside convolutions.
float plane_sum(const float* in, const Plane& plane) noexcept {
  using HalfFloats =
      float __attribute__((vector_size(PDRT_VECTOR_BYTES / 2), aligned(4), may_alias));
  using Doubles = double __attribute__((vector_size(PDRT_VECTOR_BYTES)));
  constexpr int kHalf = kVector / 2;
  constexpr int kChains = kLanes / kHalf;
  Doubles sums[kChains] = {};
  for (int pixel = 0; pixel < plane.flat; pixel += kLanes) {
    for (int i = 0; i < kChains; ++i) {
      sums[i] += __builtin_convertvector(
          *reinterpret_cast<const HalfFloats*>(in + pixel + i * kHalf), Doubles);
    }
  }
  double sum = 0;
  for (int i = 0; i < kChains; ++i) {
    for (int lane = 0; lane < kHalf; ++lane) sum += sums[i][lane];
  }
  return static_cast<float>(sum);
}

float plane_max(const float* in, const Plane& plane) noexcept {
  const Floats lowest = splat(-__builtin_inff());
  Floats most[kGroup];
  for (int i = 0; i < kGroup; ++i) most[i] = lowest;
  for (int pixel = 0; pixel < plane.flat; pixel += kLanes) {
    for (int i = 0; i < kGroup; ++i) {
      const int at = pixel + i * kVector;
      most[i] = larger(most[i], load(plane.mask + at) ? load(in + at) : lowest);
    }
  }
  float result = -__builtin_inff();
  for (int i = 0; i < kGroup; ++i) {
    for (int lane = 0; lane < kVector; ++lane) {
      const float x = most[i][lane];
      if (x > result || x != x) result = x;
    }
  }
  return result;
}

}  // namespace pdrt::cpu::PDRT_ISA
