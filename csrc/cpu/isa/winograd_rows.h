// Winograd's sums to rows of pixels: lane t being tile t, first; then line by line, with shuffles,
// through the epilogue.
#pragma once

#include "cpu/isa/shuffles.h"
#include "cpu/isa/stages.h"
#include "cpu/isa/winograd.h"

namespace pdrt::cpu::PDRT_ISA {

// Pixel (i, j) of so many tiles, each at [t] of its own line, from kSide * kSide sums of each.
template <int kTile, int kSide>
PDRT_INLINE void transform_tiles(const float* sums, std::int64_t position_stride, int tiles,
                                 float bias, float* pixels, std::int64_t length) {
  const Floats shift = splat(bias);
  for (int tile = 0; tile < tiles; tile += kVector) {
    along_both_axes<kSide, kTile>(
        [](const auto& from, auto& to) PDRT_LAMBDA { transform_sums(from, to); },
        [&](int i, int j)
            PDRT_LAMBDA { return held(load(sums + (i * kSide + j) * position_stride + tile)); },
        [&](int i, int j, Floats result)
            PDRT_LAMBDA { store(pixels + (i * kTile + j) * length + tile, result + shift); });
  }
}

// Where those of row y begin, column 0 of each tile; further columns `length` apart.
template <int kTile>
PDRT_INLINE const float* row_of_pixels(const WinogradMap& map, const float* pixels,
                                       std::int64_t length, int y) {
  return pixels + y % kTile * kTile * length + static_cast<std::int64_t>(y / kTile) * map.tiles_x;
}

// A vector from `pixel` on, of which only pixels in front of `limit` are to be written. Where the
// plane ends, it is moved back so that it ends with the plane, its first lanes then being pixels
// that are written already.
static inline Words finish_last(const WinogradOutput& task, Floats x, Words exists, int pixel,
                                int limit) {
  const Plane& plane = *task.map.plane;
  const int back = larger_of(0, pixel + kVector - plane.flat);
  const int behind = smaller_of(limit, plane.height * plane.row);
  const int end = smaller_of(kVector, behind - (pixel - back));
  float values[2 * kVector] = {};
  std::int32_t mask[2 * kVector] = {};
  std::memcpy(values + back, &x, sizeof x);
  std::memcpy(mask + back, &exists, sizeof exists);
  Floats moved[1][1] = {{load(values)}};
  Words kept[1];
  std::memcpy(kept, mask, sizeof kept);
  run_stages(task.epilogue, Place{&task.kernel, pixel - back, PlaneOperands::pixels}, moved);
  const Words seen = store_pixels(moved[0], kept, values);
  if (back == 0 && end == kVector) {
    store(task.output + pixel, moved[0][0]);
    return seen;
  }
  for (int lane = back; lane < end; ++lane) task.output[pixel - back + lane] = values[lane];
  return seen;
}

// The first kCount of the vectors of pixels that kVector tiles have in one row.
template <int kTile, int kCount>
PDRT_INLINE Words finish_tiles(const WinogradOutput& task, const float* pixels, std::int64_t length,
                               int y, int x, int limit) {
  const WinogradMap& map = task.map;
  const Plane& plane = *map.plane;
  const int pixel = y * plane.row + kTile * x;
  Floats columns[kTile], line[kTile], values[1][kCount];
  Words exists[kCount];
  unrolled<kTile>([&](int j) PDRT_LAMBDA { columns[j] = load(pixels + j * length); });
  interleave(columns, line);
  unrolled<kCount>([&](int i) PDRT_LAMBDA { values[0][i] = line[i]; });
  load_mask(map.columns + kTile * x, exists);
  float* const output = task.output + pixel;
  if (pixel + kCount * kVector <= limit) {
    // What is written behind the row's end is the next row's beginning, which is written later.
    run_stages(task.epilogue, Place{&task.kernel, pixel, PlaneOperands::pixels}, values);
    return store_pixels(values[0], exists, output);
  }
  Words seen = {};
  unrolled<kCount>([&](int i) PDRT_LAMBDA {
    if (pixel + i * kVector < limit) {
      const Floats kept = floats(bits(values[0][i]) & exists[i]);
      seen |= finish_last(task, kept, exists[i], pixel + i * kVector, limit);
    }
  });
  return seen;
}

// Lines of pixels, as transform_tiles makes them of all tiles at hand, to rows of the plane, of
// which nothing from `limit` on is written. Returns whether any stored pixel is not zero.
template <int kTile>
static inline bool finish_rows(const WinogradOutput& task, const float* pixels, std::int64_t length,
                               int limit) {
  const WinogradMap& map = task.map;
  const Plane& plane = *map.plane;
  Words seen = {};
  const int rows = smaller_of(kTile * map.rows, plane.height - kTile * map.first_row);
  for (int r = 0; r < rows; ++r) {
    const int y = kTile * map.first_row + r;
    const float* from = row_of_pixels<kTile>(map, pixels, length, r);
    int reached = 0;  // columns
    for (int x = 0; x < map.tiles_x; x += kVector) {
      if (plane.width - kTile * x <= kTile / 2 * kVector) {
        seen |= finish_tiles<kTile, kTile / 2>(task, from + x, length, y, x, limit);
        reached += kTile / 2 * kVector;
      } else {
        seen |= finish_tiles<kTile, kTile>(task, from + x, length, y, x, limit);
        reached += kTile * kVector;
      }
    }
    // The gap, as far as the vectors did not reach into it.
    for (int column = reached; column < plane.row; ++column)
      task.output[static_cast<std::int64_t>(y) * plane.row + column] = 0.0f;
  }
  if (kTile * map.first_row + rows == plane.height) {
    for (int i = plane.height * plane.row; i < plane.flat; ++i) task.output[i] = 0.0f;
  }
  if (task.lane_sums != nullptr) {
    add_to_lanes(task.output + static_cast<std::int64_t>(kTile) * map.first_row * plane.row,
                 rows * plane.row, task.lane_sums);
  }
  return any_nonzero(seen);
}

}  // namespace pdrt::cpu::PDRT_ISA
