// Winograd: sums at the positions of a tile to output pixels.
#include "cpu/isa/winograd_rows.h"

namespace pdrt::cpu::PDRT_ISA {

// Of maps so narrow that rows fill few vectors, or part of one.
constexpr int kNarrowFloats = 2048;

// Whether it is one, and all of it is at hand.
template <int kTile>
static bool is_narrow(const WinogradMap& map) {
  const Plane& plane = *map.plane;
  return 2 * map.tiles_x <= kVector && map.first_row == 0 && kTile * map.rows >= plane.height &&
         plane.height * plane.row + kTile * kVector <= kNarrowFloats;
}

// Rows of kCount vectors each, one behind the other as in the plane. What one of them has too much
// is the next one's beginning, which is written later.
template <int kTile, int kCount>
static void lay_rows(const WinogradMap& map, const float* pixels, std::int64_t length,
                     float* image) {
  const Plane& plane = *map.plane;
  for (int y = 0; y < plane.height; ++y) {
    const float* from = row_of_pixels<kTile>(map, pixels, length, y);
    float* const to = image + y * plane.row;
    Floats columns[kTile], line[kTile];
    unrolled<kTile>([&](int j) PDRT_LAMBDA { columns[j] = load(from + j * length); });
    interleave(columns, line);
    unrolled<kCount>([&](int i) PDRT_LAMBDA { store(to + i * kVector, line[i]); });
    if (plane.row > kCount * kVector) store(to + kCount * kVector, Floats{});  // the gap
  }
}

// As finish_rows, but from one end of the map to the other, in whole vectors.
template <int kTile>
static bool finish_narrow(const WinogradOutput& task, const float* pixels, std::int64_t length) {
  const Plane& plane = *task.map.plane;
  alignas(64) float image[kNarrowFloats];
  for (int i = 0; i < kLanes; i += kVector) store(image + plane.flat - kLanes + i, Floats{});
  constexpr int kHalf = kTile / 2, kQuarter = kTile % 4 == 0 ? kTile / 4 : kHalf;
  if (plane.width <= kQuarter * kVector) {
    lay_rows<kTile, kQuarter>(task.map, pixels, length, image);
  } else {
    lay_rows<kTile, kHalf>(task.map, pixels, length, image);
  }
  const bool seen =
      finish(task.epilogue, task.kernel, image, task.output, plane.mask, 0, plane.flat);
  if (task.lane_sums != nullptr) add_to_lanes(task.output, plane.flat, task.lane_sums);
  return seen;
}

template <int kTile>
static bool transform(const WinogradOutput& task, const float* sums, std::int64_t position_stride) {
  const WinogradMap& map = task.map;
  alignas(64) float pixels[kWinogradScratch];
  const std::int64_t length = winograd_line(map.rows, map.tiles_x);
  transform_tiles<kTile, kTile + 2>(sums, position_stride, map.rows * map.tiles_x, task.bias,
                                    pixels, length);
  if (is_narrow<kTile>(map)) return finish_narrow<kTile>(task, pixels, length);
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
