// Random maps for the tests of Winograd's transforms, in memory that tells what was touched.
#pragma once

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "cpu/engine.h"

namespace maps {

using pdrt::kLanes;
using pdrt::Plane;

constexpr float kPoison = std::numeric_limits<float>::quiet_NaN();

inline std::mt19937 generator(17);

inline int random_int(int low, int high) {
  return std::uniform_int_distribution<int>(low, high)(generator);
}

inline int rounded_up(int x) { return (x + kLanes - 1) / kLanes * kLanes; }

// Planes in memory of their own, everything that is no pixel poisoned.
struct Map {
  Map(int height, int width, int planes = 1)
      : before(random_int(0, 2) * kLanes), memory(random_plane(height, width, planes), kPoison) {
    mask.assign(plane.flat, 0);
    for (int y = 0; y < height; ++y) std::fill_n(mask.begin() + y * plane.row, width, ~0u);
    plane.mask = mask.data();
  }

  float* pixels() { return memory.data() + before + plane.lead; }

  void fill() {
    std::normal_distribution<float> normal;
    for (int i = 0; i < plane.flat; ++i) {
      if (mask[i] != 0) pixels()[i] = normal(generator);
    }
  }

  Plane plane;
  int before;
  std::vector<float> memory;
  std::vector<std::uint32_t> mask;

 private:
  std::size_t random_plane(int height, int width, int planes) {
    plane.height = height;
    plane.width = width;
    plane.row = width + random_int(0, 3);
    plane.lead = random_int(0, 2) * kLanes;
    plane.flat = rounded_up(height * plane.row);
    plane.stride = plane.lead + plane.flat + random_int(0, 2) * kLanes;
    return before + planes * static_cast<std::size_t>(plane.stride);
  }
};

// Some of [0, all), ascending.
inline std::vector<std::int32_t> some_of(int all) {
  std::vector<std::int32_t> list(all);
  std::iota(list.begin(), list.end(), 0);
  std::shuffle(list.begin(), list.end(), generator);
  list.resize(random_int(0, all));
  std::sort(list.begin(), list.end());
  return list;
}

inline std::vector<std::uint32_t> columns(int pad, int width) {
  std::vector<std::uint32_t> mask(pdrt::kWinogradColumns, 0);
  std::fill_n(mask.begin() + pad, width, ~0u);
  return mask;
}

}  // namespace maps
