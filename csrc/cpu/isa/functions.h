// The functions one instruction set brings to its Engine table, and what they share.
#pragma once

#include "cpu/isa/simd.h"

namespace pdrt::cpu::PDRT_ISA {

void convolve(const Convolution& task, int first, int last, int begin, int end) noexcept;
void depthwise(const Depthwise& task, int first, int last) noexcept;
void split(const Phases& task, const float* in, const Plane& in_plane, float* out) noexcept;
void pool(const Pool& task, const float* in, const Plane& in_plane, float* out,
          const Plane& out_plane, const Epilogue& epilogue, int k) noexcept;
float plane_sum(const float* in, const Plane& plane) noexcept;
float plane_max(const float* in, const Plane& plane) noexcept;
bool apply(const Epilogue& epilogue, int k, const float* in, float* out,
           const Plane& plane) noexcept;
float apply_to_constant(const Epilogue& epilogue, int k, float x) noexcept;
void fully_connected(const FullyConnected& task, int first, int last) noexcept;
void add_inputs(const ByInput& task, int first, int last, float* sums) noexcept;
void finish_sums(const ByInput& task, const float* sums, int parts) noexcept;
void weights_by_input(const float* rows, int kernels, std::int64_t columns, std::int64_t first,
                      std::int64_t last, float* to, std::int64_t row) noexcept;
void fill(float* out, const Plane& plane, float value) noexcept;
void clear_border(float* out, const Plane& plane) noexcept;
void clear_borders(float* planes, const Plane& plane, const std::int32_t* list, int count) noexcept;
void load_plane(const float* in, std::int64_t in_row, std::int64_t in_pixel, float* out,
                const Plane& plane) noexcept;
void store_plane(const float* in, const Plane& plane, float* out) noexcept;
void winograd_panel(int tile, const float* taps, std::int64_t kernel_stride, int kernels,
                    int channels, float* out, std::int64_t position_stride) noexcept;
void winograd_weights(int tile, const float* taps, int channels, float* out,
                      std::int64_t position_stride) noexcept;
void winograd_listed(int tile, const ListedWeights& task, float* out,
                     std::int64_t position_stride) noexcept;
void winograd_input(const WinogradMap& map, const float* in, const float* next, float* out,
                    std::int64_t position_stride) noexcept;
bool winograd_output(const WinogradOutput& task, const float* sums,
                     std::int64_t position_stride) noexcept;
void taps_in_lanes(const float* taps, std::int64_t kernel_stride, int kernels, int channels,
                   float* out) noexcept;
void patches_in_lanes(const WinogradMap& map, const float* const* inputs, int count,
                      float* out) noexcept;
void kernels_in_lanes(const KernelsInLanes& task, int panel) noexcept;
void strided_weights(const float* taps, int channels, float* out) noexcept;
void strided_input(const WinogradMap& map, const float* in, float* out, std::int64_t tiles,
                   std::int64_t position_stride, float* scratch) noexcept;
void strided_kernels(const StridedWinograd& task) noexcept;
bool all_finite(const float* in, std::int64_t count) noexcept;
double fma_burst(long iterations) noexcept;

// Adds `count` floats to kLanes sums: number i to sum i % kLanes.
void add_to_lanes(const float* pixels, int count, float* sums);
// Depthwise for most windows of 3x3; false: not for this one, and nothing was done.
bool depthwise_3x3(const Depthwise& task, int first, int last) noexcept;
// Depthwise for planes and windows of any kind.
void depthwise_rows(const Depthwise& task, int first, int last) noexcept;

// Pixels [begin, end) of channel k: values[0 ... end - begin) through the epilogue, masked, to
// plane[begin ... end). `plane` points at pixel (0,0) of the output; `values` may be plane + begin.
// Returns whether any stored pixel is not zero.
bool finish(const Epilogue& epilogue, int k, const float* values, float* plane,
            const std::uint32_t* mask, int begin, int end) noexcept;

PDRT_INLINE int larger_of(int x, int y) { return x > y ? x : y; }
PDRT_INLINE int smaller_of(int x, int y) { return x < y ? x : y; }

// The plane of the kernel at `position`, which points into the task's list.
PDRT_INLINE float* output_of(const Convolution& task, const std::int32_t* position) {
  const std::int64_t plane = task.in_order ? position - task.kernels : *position;
  return task.output + plane * task.plane->stride;
}

// Several threads may find the same kernel not zero: they all store the same 1.
PDRT_INLINE bool is_marked(const std::uint8_t* nonzero, int k) {
  return __atomic_load_n(nonzero + k, __ATOMIC_RELAXED) != 0;
}
PDRT_INLINE void mark(std::uint8_t* nonzero, int k) {
  if (!is_marked(nonzero, k)) __atomic_store_n(nonzero + k, 1, __ATOMIC_RELAXED);
}

}  // namespace pdrt::cpu::PDRT_ISA
