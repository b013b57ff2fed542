// Winograd: sums at the positions of a tile to output pixels.
#include "cpu/isa/winograd_rows.h"

namespace pdrt::cpu::PDRT_ISA {

template <int kTile>
static bool transform(const WinogradOutput& task, const float* sums, std::int64_t position_stride) {
  const WinogradMap& map = task.map;
  alignas(64) float pixels[kWinogradScratch];
  const std::int64_t length = winograd_line(map.rows, map.tiles_x);
  transform_tiles<kTile, kTile + 2>(sums, position_stride, map.rows * map.tiles_x, task.bias,
                                    pixels, length);
  // What is written behind the last row at hand is the next one's beginning, which is written
  // later.
  return finish_rows<kTile>(task, pixels, length, map.plane->flat);
}

bool winograd_output(const WinogradOutput& task, const float* sums,
                     std::int64_t position_stride) noexcept {
  switch (task.map.tile) {
    case 2:
      return transform<2>(task, sums, position_stride);
    case 4:
      return transform<4>(task, sums, position_stride);
    default:
      return transform<6>(task, sums, position_stride);
  }
}

}  // namespace pdrt::cpu::PDRT_ISA
