// How much of a product of matrices one work-group computes.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "opencl/device.h"

namespace pdrt::run::device {

struct Tile {
  int kernels = 64, pixels = 64;              // of a work-group
  int thread_kernels = 4, thread_pixels = 4;  // of a work-item
};

// The largest tile that still gives every compute unit something to do. `parts`: samples times
// groups, each with so many kernels and pixels.
Tile tile_for(const opencl::DeviceInfo& device, std::int64_t kernels, std::int64_t pixels,
              std::int64_t parts);

// Tiles that can be chosen on the device, the largest first.
std::vector<Tile> tiles_for(const opencl::DeviceInfo& device);

// How many tiles of a size cover so much.
inline std::size_t tiles_of(std::int64_t size, int tile) {
  return static_cast<std::size_t>((size + tile - 1) / tile);
}

std::string options_of(const Tile& tile);  // for the programs
std::string name_of(const Tile& tile);     // "64x64"
std::array<std::size_t, 3> local_of(const Tile& tile);

}  // namespace pdrt::run::device
