#include "run/device/tiles.h"

#include <iterator>

namespace pdrt::run::device {
namespace {

// Large ones load fewer numbers for each multiply-add; small ones leave less of a small layer
// undone at its edges, and make more work-groups.
constexpr Tile kGpuTiles[] = {
    {128, 128, 8, 8}, {64, 128, 8, 8}, {64, 64, 4, 4}, {32, 64, 4, 4}, {32, 32, 4, 4}};
// A work-group is a loop on one core: work-items that hold much, and few of them.
constexpr Tile kCpuTiles[] = {{32, 64, 4, 8}, {16, 32, 4, 4}};

// Work-groups that a compute unit should have, so that one can wait while another computes.
constexpr std::int64_t kGroupsPerUnit = 2;

template <std::size_t Count>
Tile choose(const Tile (&tiles)[Count], std::int64_t wanted, std::int64_t kernels,
            std::int64_t pixels, std::int64_t parts) {
  for (const Tile& tile : tiles) {
    const std::int64_t groups = ((kernels + tile.kernels - 1) / tile.kernels) *
                                ((pixels + tile.pixels - 1) / tile.pixels) * parts;
    const bool fits = tile.kernels / 2 < kernels && tile.pixels / 2 < pixels;
    if (groups >= wanted && fits) return tile;
  }
  return tiles[Count - 1];
}

}  // namespace

Tile tile_for(const opencl::DeviceInfo& device, std::int64_t kernels, std::int64_t pixels,
              std::int64_t parts) {
  if (device.kind == opencl::DeviceKind::cpu)
    return choose(kCpuTiles, device.compute_units, kernels, pixels, parts);
  return choose(kGpuTiles, kGroupsPerUnit * device.compute_units, kernels, pixels, parts);
}

std::vector<Tile> tiles_for(const opencl::DeviceInfo& device) {
  if (device.kind == opencl::DeviceKind::cpu)
    return std::vector<Tile>(std::begin(kCpuTiles), std::end(kCpuTiles));
  return std::vector<Tile>(std::begin(kGpuTiles), std::end(kGpuTiles));
}

std::string options_of(const Tile& tile) {
  return " -DTILE_KERNELS=" + std::to_string(tile.kernels) +
         " -DTILE_PIXELS=" + std::to_string(tile.pixels) +
         " -DTHREAD_KERNELS=" + std::to_string(tile.thread_kernels) +
         " -DTHREAD_PIXELS=" + std::to_string(tile.thread_pixels);
}

std::string name_of(const Tile& tile) {
  return std::to_string(tile.kernels) + "x" + std::to_string(tile.pixels);
}

std::array<std::size_t, 3> local_of(const Tile& tile) {
  return {static_cast<std::size_t>(tile.pixels / tile.thread_pixels),
          static_cast<std::size_t>(tile.kernels / tile.thread_kernels), 1};
}

}  // namespace pdrt::run::device
