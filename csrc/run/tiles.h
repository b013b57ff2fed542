// How one step's work is cut for several threads. Included by frame.h.
#pragma once

#include <algorithm>

#include "cpu/pool.h"

namespace pdrt::run {

// Below this many multiply-adds of a convolution, a few microseconds, handing part of them to a
// thread that waits for work costs more than it saves.
constexpr std::int64_t kSharedMacs = 400'000;
// The same for steps that go over planes: they handle a number in the time of several
// multiply-adds.
constexpr std::int64_t kSharedNumbers = 50'000;
// How many times that makes it worth waking a thread that sleeps: tens of microseconds, and a part
// of them on the calling thread.
constexpr std::int64_t kWaking = 8;

// Parts of a step for each thread: with more than one, a thread that is disturbed leaves some of
// its own to the others, but every part reads the inputs again, and gathers the pixels past whole
// groups. So there are more where each is worth this many multiply-adds.
constexpr int kMostTilesPerThread = 4;
constexpr std::int64_t kTileMacs = 16'000'000;
constexpr int kTileKernels = 6;  // what the engine computes at once, so that cuts lie between them
// Fewer pixels in a part leave the engine too few vectors to cut into even tiles.
constexpr int kPartPixels = 16 * kLanes;

inline bool worth_sharing(const Frame& frame, std::int64_t work, std::int64_t least) {
  return frame.threads > 1 && work >= least && (work >= kWaking * least || cpu::workers_awake());
}

// piece(0) ... piece(count - 1), on the frame's threads where there is enough to do.
template <typename Piece>
void for_each_piece(const Frame& frame, std::int64_t count, std::int64_t numbers,
                    const Piece& piece) {
  cpu::parallel_for(static_cast<int>(count),
                    worth_sharing(frame, numbers, kSharedNumbers) ? frame.threads : 1, piece);
}

// Part `index` of `parts` nearly even ones of [0, end), cut at multiples of `unit`.
struct Part {
  Part(int index, int parts, int end, int unit)
      : first(cut(index, parts, end, unit)), last(cut(index + 1, parts, end, unit)) {}
  int first, last;

 private:
  static int cut(std::int64_t index, int parts, int end, int unit) {
    const std::int64_t units = (end + unit - 1) / unit;
    return static_cast<int>(std::min<std::int64_t>(end, index * units / parts * unit));
  }
};

// Maps large enough are cut into as many parts as there are threads, small ones not at all; kernels
// are cut for the rest. Parts of the same pixels follow each other: every thread stays with its
// own.
template <typename Tile>
void for_each_tile(const Frame& frame, int kernels, int flat, std::int64_t macs, const Tile& tile,
                   int pixel_unit) {
  if (kernels == 0) return;
  if (!worth_sharing(frame, macs, kSharedMacs)) {
    tile(0, kernels, 0, flat);
    return;
  }
  const auto tiles = static_cast<int>(
      std::clamp<std::int64_t>(macs / (frame.threads * kTileMacs), 1, kMostTilesPerThread));
  const int wanted = frame.threads * tiles;
  const int most_kernel_parts = (kernels + kTileKernels - 1) / kTileKernels;
  const int most_pixel_parts = pixel_unit < kPartPixels ? std::max(1, flat / kPartPixels)
                                                        : (flat + pixel_unit - 1) / pixel_unit;
  int pixel_parts = std::min(frame.threads, most_pixel_parts);
  const int kernel_parts = std::min((wanted + pixel_parts - 1) / pixel_parts, most_kernel_parts);
  while (pixel_parts * kernel_parts < wanted && 2 * pixel_parts <= most_pixel_parts)
    pixel_parts *= 2;
  cpu::parallel_for(pixel_parts * kernel_parts, frame.threads, [&](int index) {
    const Part pixels(index / kernel_parts, pixel_parts, flat, pixel_unit);
    const Part part(index % kernel_parts, kernel_parts, kernels, kTileKernels);
    tile(part.first, part.last, pixels.first, pixels.last);
  });
}

}  // namespace pdrt::run
