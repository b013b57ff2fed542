// Rows of pixels for Winograd's patches on narrow maps: a row of few tiles would leave most lanes
// of a vector idle, so rows of several rows of tiles are transformed together.
#pragma once

#include "cpu/isa/lanes.h"
#include "cpu/isa/shuffles.h"
#include "cpu/isa/winograd.h"

namespace pdrt::cpu::PDRT_ISA {

// Lanes moved down by one within groups of kSize lanes, zero in the last one of each.
template <int kSize>
struct NextOfGroup {
  static constexpr int of(int lane) { return lane % kSize == kSize - 1 ? kVector : lane + 1; }
};

// x[numbers[lane]] in every lane.
PDRT_INLINE Floats permuted(Floats x, Words numbers) {
#if PDRT_VECTOR_BYTES == 64
  return _mm512_maskz_permutexvar_ps(0xffff, reinterpret_cast<__m512i>(numbers), x);
#elif PDRT_VECTOR_BYTES == 32
  return _mm256_permutevar8x32_ps(x, reinterpret_cast<__m256i>(numbers));
#else
  Floats result;
  for (int lane = 0; lane < kVector; ++lane) result[lane] = x[numbers[lane]];
  return result;
#endif
}

// Every row has a group of lanes, one for each of its tiles, in order.
template <int kTile, int kRows>
class ShortRows {
 public:
  static constexpr int kSize = kVector / kRows;

  // Whether the tiles of a row fit a group, and nothing that the last one reads is behind it.
  static bool fit(const WinogradMap& map) {
    const bool ends = map.pad_left + map.plane->width <= kTile * map.tiles_x;
    return map.tiles_x < kSize || (map.tiles_x == kSize && ends);
  }

  explicit ShortRows(const WinogradMap& map) : plane_(*map.plane), map_(map) {
    unrolled<kLoads>([&](int i) PDRT_LAMBDA {
      const int first = map.pad_left - i * kVector;
      for (int half = 0; half < kJoined; ++half) {
        const int from = half * kColumns, until = kJoined == 1 ? kVector : from + kColumns;
        const int end = first + from + plane_.width;
        exists_[half][i] = lanes_between(larger_of(first, 0) + from, end < until ? end : until);
      }
    });
    if (map.tiles_x == kSize) return;
    Words lane;
    for (int i = 0; i < kVector; ++i) lane[i] = i;
    together_ = lane;
    for (int k = 1; k < kRows; ++k) {
      together_ += (lane >= k * map.tiles_x) & (kSize - map.tiles_x);
    }
    together_ &= kVector - 1;  // behind the last tile: any
  }

  // Pixel row `phase` of the rows of tiles from `tile_row` on, of which `count` at most have one:
  // transformed column j, tile after tile and row after row, in result[j].
  inline __attribute__((always_inline)) void transform(const float* in, int phase, int tile_row,
                                                       int count,
                                                       Floats (&result)[kTile + 2]) const {
    Floats pixels[kTile], columns[kTile], patch[kTile + 2];
    unrolled<kRows>([&](int k) PDRT_LAMBDA {
      const int y = kTile * (map_.first_row + tile_row + k) + phase - map_.pad_top;
      const bool there = k < count && y >= 0 && y < plane_.height;
      const float* const row =
          in + (there ? static_cast<std::int64_t>(y) * plane_.row : 0) - map_.pad_left;
      const int half = k % kJoined;
      unrolled<kLoads>([&](int i) PDRT_LAMBDA {
        Floats& into = pixels[k / kJoined * kLoads + i];
        const Floats before = half == 0 ? Floats{} : into;
        into =
            load(row + i * kVector - half * kColumns, there ? exists_[half][i] : Lanes{}, before);
      });
    });
    deinterleave(pixels, columns);
    unrolled<kTile>([&](int j) PDRT_LAMBDA { patch[j] = columns[j]; });
    unrolled<2>([&](int j) PDRT_LAMBDA {
      patch[kTile + j] = pick<NextOfGroup<kSize>>(columns[j], Floats{});
    });
    transform_input(patch, result);
    if (map_.tiles_x < kSize) {
      unrolled<kTile + 2>([&](int j) PDRT_LAMBDA { result[j] = permuted(result[j], together_); });
    }
  }

 private:
  static constexpr int kColumns = kTile * kSize;  // of a row
  // Vectors that a row is loaded into; and rows that share one.
  static constexpr int kLoads = kColumns >= kVector ? kColumns / kVector : 1;
  static constexpr int kJoined = kColumns >= kVector ? 1 : kVector / kColumns;
  static_assert(kColumns % kVector == 0 || kVector % kColumns == 0);

  const Plane& plane_;
  const WinogradMap& map_;
  Lanes exists_[kJoined][kLoads];  // which lanes are pixels
  Words together_ = {};            // where each tile is, one row's behind the other's
};

}  // namespace pdrt::cpu::PDRT_ISA
