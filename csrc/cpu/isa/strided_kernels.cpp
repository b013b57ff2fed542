// Winograd for 7x7 filters of stride 2, with few inputs: for a few kernels and a group of tiles at
// a time, the sums at all positions, which stay in a first-level cache, and of them pixels.
#include "cpu/isa/winograd_rows.h"

namespace pdrt::cpu::PDRT_ISA {

// Kernels whose products are summed up in registers at once, each for one group of tiles.
#if PDRT_VECTOR_BYTES == 64
constexpr int kAtOnce = 8;
#elif PDRT_VECTOR_BYTES == 32 || defined(__aarch64__)
constexpr int kAtOnce = 4;
#else
constexpr int kAtOnce = 2;
#endif
static_assert(kStridedKernels % kAtOnce == 0);

using Sums = float[kStridedPositions][kLanes];

// Products of kKernels kernels, at kernels[0] on, for the group of tiles whose patches begin there.
template <int kKernels>
PDRT_INLINE void multiply(const StridedWinograd& task, const std::int32_t* kernels,
                          const float* patches, Sums* sums) {
  const Convolution& of = task.of;
  const std::int64_t columns = of.weights_row / kStridedPositions;
  const float* rows[kKernels];
  for (int k = 0; k < kKernels; ++k) rows[k] = opaque(of.weights + kernels[k] * of.weights_row);
  for (int position = 0; position < kStridedPositions; ++position) {
    Floats sum[kKernels][kGroup] = {};
    const float* place = patches + position * task.position_stride;
    for (int c = 0; c < of.channels; ++c) {
      const std::int64_t column = position * columns + std::int64_t{kStridedPhases} * of.channel[c];
      unrolled<kStridedPhases>([&](int phase) PDRT_LAMBDA {
        Floats x[kGroup];
        unrolled<kGroup>([&](int j) PDRT_LAMBDA { x[j] = load(place + j * kVector); });
        unrolled<kKernels>([&](int k) PDRT_LAMBDA {
          const Floats weight = splat(rows[k][column + phase]);
          unrolled<kGroup>([&](int j) PDRT_LAMBDA { sum[k][j] += weight * x[j]; });
        });
        place += task.tiles;
      });
    }
    unrolled<kKernels>([&](int k) PDRT_LAMBDA {
      unrolled<kGroup>([&](int j)
                           PDRT_LAMBDA { store(sums[k][position] + j * kVector, sum[k][j]); });
    });
  }
}

template <int kKernels>
static void multiply_some(const StridedWinograd& task, const std::int32_t* kernels, int count,
                          const float* patches, Sums* sums) {
  int k = 0;
  for (; k + kKernels <= count; k += kKernels)
    multiply<kKernels>(task, kernels + k, patches, sums + k);
  if constexpr (kKernels > 1)
    multiply_some<kKernels / 2>(task, kernels + k, count - k, patches, sums + k);
}

// At most kStridedKernels kernels.
static void compute(const StridedWinograd& task, const std::int32_t* kernels, int count) {
  constexpr int kPixels = kStridedTile * kStridedTile;
  float* const pixels = task.scratch;
  alignas(64) Sums sums[kStridedKernels];
  const Convolution& of = task.of;
  const std::int64_t length = winograd_line(task.map.rows, task.map.tiles_x);
  const int tiles = task.map.rows * task.map.tiles_x;
  const auto bias = [&](int k) { return of.bias != nullptr ? of.bias[kernels[k]] : 0.0f; };
  for (int tile = 0; tile < tiles; tile += kLanes) {
    multiply_some<kAtOnce>(task, kernels, count, task.patches + tile, sums);
    for (int k = 0; k < count; ++k) {
      transform_tiles<kStridedTile, kStridedSide>(sums[k][0], kLanes, kLanes, bias(k),
                                                  pixels + k * kPixels * length + tile, length);
    }
  }
  const Plane& plane = *task.map.plane;
  const int end = kStridedTile * (task.map.first_row + task.map.rows);
  const int limit = end >= plane.height ? plane.flat : end * plane.row;
  for (int k = 0; k < count; ++k) {
    WinogradOutput output;
    output.map = task.map;
    output.epilogue = of.epilogue;
    output.kernel = kernels[k];
    output.output = output_of(of, kernels + k);
    const bool seen =
        finish_rows<kStridedTile>(output, pixels + k * kPixels * length, length, limit);
    if (seen && of.nonzero != nullptr) mark(of.nonzero, kernels[k]);
  }
}

void strided_kernels(const StridedWinograd& task) noexcept {
  const int count = task.of.kernel_count;
  for (int k = 0; k < count; k += kStridedKernels)
    compute(task, task.of.kernels + k, smaller_of(kStridedKernels, count - k));
}

}  // namespace pdrt::cpu::PDRT_ISA
