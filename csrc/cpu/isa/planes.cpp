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

// Lead and tail are a few groups of lanes: less than a call of memset would take.
void clear_border(float* out, const Plane& plane) noexcept {
  const auto clear_groups = [](float* from, const float* to) {
    for (; from < to; from += kVector) store(from, Floats{});
  };
  clear_groups(out - plane.lead, out);
  clear_groups(out + plane.flat, out + plane.stride - plane.lead);
}

void clear_borders(float* planes, const Plane& plane, const std::int32_t* list,
                   int count) noexcept {
  for (int i = 0; i < count; ++i) {
    clear_border(planes + static_cast<std::int64_t>(list[i]) * plane.stride, plane);
  }
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

// In double: exact to the last bit of the float for any plane that fits in memory. Several sums at
// a time, since one addition waits for the one before it.
float plane_sum(const float* in, const Plane& plane) noexcept {
  constexpr int kChains = 8;
  constexpr int kHalf = kVector / 2;
  constexpr int kStep = kChains * kHalf;
  Doubles sums[kChains] = {};
  int pixel = 0;
  for (; pixel + kStep <= plane.flat; pixel += kStep) {
    unrolled<kChains>([&](int i) PDRT_LAMBDA { sums[i] += in_double(in + pixel + i * kHalf); });
  }
  for (; pixel < plane.flat; pixel += kHalf) sums[0] += in_double(in + pixel);
  const Doubles all =
      ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
  double lanes[kHalf];
  std::memcpy(lanes, &all, sizeof lanes);
  for (int half = kHalf / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  return static_cast<float>(lanes[0]);
}

void add_to_lanes(const float* pixels, int count, float* sums) {
  Floats added[kGroup];
  for (int i = 0; i < kGroup; ++i) added[i] = load(sums + i * kVector);
  int pixel = 0;
  for (; pixel + kLanes <= count; pixel += kLanes) {
    for (int i = 0; i < kGroup; ++i) added[i] += load(pixels + pixel + i * kVector);
  }
  if (pixel < count) {
    float rest[kLanes] = {};
    std::memcpy(rest, pixels + pixel, static_cast<std::size_t>(count - pixel) * sizeof(float));
    for (int i = 0; i < kGroup; ++i) added[i] += load(rest + i * kVector);
  }
  for (int i = 0; i < kGroup; ++i) store(sums + i * kVector, added[i]);
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
