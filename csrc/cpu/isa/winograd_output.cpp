// Winograd: sums at the positions of a tile to output pixels. Along the columns and the rows of all
// tiles first, lane t being tile t; then line by line, with shuffles, through the epilogue.
#include "cpu/isa/shuffles.h"
#include "cpu/isa/stages.h"
#include "cpu/isa/winograd.h"

namespace pdrt::cpu::PDRT_ISA {

// Pixel (i, j) of every tile.
template <int kTile>
static void transform_tiles(const WinogradMap& map, const float* sums, std::int64_t position_stride,
                            float bias, float* pixels, std::int64_t length) {
  constexpr int kSide = kTile + 2;
  const int tiles = map.rows * map.tiles_x;
  const Floats shift = splat(bias);
  for (int tile = 0; tile < tiles; tile += kVector) {
    Floats columns[kSide][kTile];
    unrolled<kSide>([&](int j) PDRT_LAMBDA {
      Floats column[kSide];
      unrolled<kSide>([&](int i) PDRT_LAMBDA {
        column[i] = held(load(sums + (i * kSide + j) * position_stride + tile));
      });
      transform_sums(column, columns[j]);
    });
    unrolled<kTile>([&](int i) PDRT_LAMBDA {
      Floats row[kSide], result[kTile];
      unrolled<kSide>([&](int j) PDRT_LAMBDA { row[j] = columns[j][i]; });
      transform_sums(row, result);
      unrolled<kTile>([&](int j) PDRT_LAMBDA {
        store(pixels + (i * kTile + j) * length + tile, result[j] + shift);
      });
    });
  }
}

// A vector from `pixel` on, of which the plane may end: moved back so that it ends with the plane,
// its first lanes then being pixels that are written already.
static Words finish_last(const WinogradOutput& task, Floats x, Words exists, int pixel) {
  const Plane& plane = *task.map.plane;
  const int back = larger_of(0, pixel + kVector - plane.flat);
  const int end = smaller_of(kVector, plane.height * plane.row - (pixel - back));
  float values[2 * kVector] = {};
  std::int32_t mask[2 * kVector] = {};
  std::memcpy(values + back, &x, sizeof x);
  std::memcpy(mask + back, &exists, sizeof exists);
  Floats moved[1][1] = {{load(values)}};
  Words kept[1];
  std::memcpy(kept, mask, sizeof kept);
  run_stages(task.epilogue, Place{&task.kernel, pixel - back, PlaneOperands::pixels}, moved);
  const Words seen = store_pixels(moved[0], kept, values);
  for (int lane = back; lane < end; ++lane) task.output[pixel - back + lane] = values[lane];
  return seen;
}

// The first kCount of the vectors of pixels that kVector tiles have in one row.
template <int kTile, int kCount>
PDRT_INLINE Words finish_tiles(const WinogradOutput& task, const float* pixels, std::int64_t length,
                               int y, int x) {
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
  if (pixel + kCount * kVector <= plane.flat) {
    // What is written behind the row's end is the next row's beginning, which is written later.
    run_stages(task.epilogue, Place{&task.kernel, pixel, PlaneOperands::pixels}, values);
    return store_pixels(values[0], exists, output);
  }
  Words seen = {};
  unrolled<kCount>([&](int i) PDRT_LAMBDA {
    if (pixel + i * kVector < plane.flat) {
      const Floats kept = floats(bits(values[0][i]) & exists[i]);
      seen |= finish_last(task, kept, exists[i], pixel + i * kVector);
    }
  });
  return seen;
}

template <int kTile>
static bool transform(const WinogradOutput& task, const float* sums, std::int64_t position_stride) {
  const WinogradMap& map = task.map;
  const Plane& plane = *map.plane;
  alignas(64) float pixels[kWinogradScratch];
  const std::int64_t length = winograd_line(map.rows, map.tiles_x);
  transform_tiles<kTile>(map, sums, position_stride, task.bias, pixels, length);
  Words seen = {};
  const int rows = smaller_of(kTile * map.rows, plane.height - kTile * map.first_row);
  for (int r = 0; r < rows; ++r) {
    const int y = kTile * map.first_row + r;
    const float* from =
        pixels + r % kTile * kTile * length + static_cast<std::int64_t>(r / kTile) * map.tiles_x;
    int reached = 0;  // columns
    for (int x = 0; x < map.tiles_x; x += kVector) {
      if (plane.width - kTile * x <= kTile / 2 * kVector) {
        seen |= finish_tiles<kTile, kTile / 2>(task, from + x, length, y, x);
        reached += kTile / 2 * kVector;
      } else {
        seen |= finish_tiles<kTile, kTile>(task, from + x, length, y, x);
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
