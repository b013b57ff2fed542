// How one step's work is cut for several threads. Included by frame.h.
#pragma once

#include <algorithm>

#include "cpu/pool.h"

namespace pdrt::run {

// Below this many multiply-adds waking a thread costs more than it saves (tens of microseconds of
// one core).
constexpr std::int64_t kParallelMacs = 400'000;
constexpr int kTilePixels = 64;
constexpr int kTileKernels = 12;
constexpr int kTilesPerThread = 4;

// piece(0) ... piece(count - 1), on the frame's threads where there is enough to do.
template <typename Piece>
void for_each_piece(const Frame& frame, std::int64_t count, std::int64_t macs, const Piece& piece) {
  cpu::parallel_for(static_cast<int>(count), macs < kParallelMacs ? 1 : frame.threads, piece);
}

template <typename Tile>
void for_each_tile(const Frame& frame, int kernels, int flat, std::int64_t macs, const Tile& tile) {
  if (kernels == 0) return;
  if (frame.threads == 1 || macs < kParallelMacs) {
    tile(0, kernels, 0, flat);
    return;
  }
  const int wanted = frame.threads * kTilesPerThread;
  const int pixel_blocks = (flat + kTilePixels - 1) / kTilePixels,
            kernel_blocks = (kernels + kTileKernels - 1) / kTileKernels;
  const int pixel_parts = std::min(wanted, pixel_blocks);
  const int kernel_parts = std::min((wanted + pixel_parts - 1) / pixel_parts, kernel_blocks);
  cpu::parallel_for(pixel_parts * kernel_parts, frame.threads, [&](int index) {
    const std::int64_t i = index % pixel_parts, j = index / pixel_parts;
    const int begin = static_cast<int>(i * pixel_blocks / pixel_parts) * kTilePixels;
    const int end =
        std::min<int>(flat, static_cast<int>((i + 1) * pixel_blocks / pixel_parts) * kTilePixels);
    const int first = static_cast<int>(j * kernel_blocks / kernel_parts) * kTileKernels;
    const int last = std::min<int>(
        kernels, static_cast<int>((j + 1) * kernel_blocks / kernel_parts) * kTileKernels);
    tile(first, last, begin, end);
  });
}

}  // namespace pdrt::run
