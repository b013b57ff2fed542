// Winograd, second: at every position, sums over active channels for active kernels. The same tiles
// of the same product as in convolution.cl; what is a pixel there is one of the map's tiles here.
//
// Range: [tiles of pixels][tiles of the longest list of kernels][samples * groups * positions], in
// work-groups of THREADS_X x THREADS_Y x 1 (tile.h).
// Arguments: dense_in, dense_out, weights, lists, flags, WinogradArguments.
//
// Options:
//   TILE                            2 or 4
//   TILE_KERNELS, TILE_PIXELS       of a work-group
//   THREAD_KERNELS, THREAD_PIXELS   of a work-item; they divide the tile's
//   CHUNK                           channels that go through local memory at once
#ifndef CHUNK
#define CHUNK 8
#endif

#include "tile.h"
#include "winograd.h"

#define KERNEL_LOADS LOADS(CHUNK, TILE_KERNELS)
#define PIXEL_LOADS LOADS(CHUNK, TILE_PIXELS)

// The first entry of the list of channels, from `first` on in steps of a chunk, that is worth a
// visit; or one past the last.
static inline int next_chunk(int first, __global const int* channels, int channel_count,
                             __global const uchar* flags) {
  while (first < channel_count && is_dead(first, CHUNK, channels, channel_count, flags))
    first += CHUNK;
  return first;
}

// A work-item's share of a chunk, which is rows of a matrix: those of the channels from entry
// `first` of the list on, `width` numbers of each; zeros where the list has ended.
static inline void load_rows(__global const float* matrix, uint row, const uint* from,
                             __global const int* channels, int channel_count, int first, int thread,
                             int width, int count, float* numbers) {
  UNROLL
  for (int i = 0; i < count; ++i) {
    const int element = thread + i * THREADS;
    const int c = first + element / width;
    const bool inside = element < CHUNK * width && c < channel_count;
    numbers[i] = inside ? matrix[from[i] + (uint)channels[c] * row] : 0.0f;
  }
}

__kernel __attribute__((reqd_work_group_size(THREADS_X, THREADS_Y, 1))) void winograd_product(
    __global const float* restrict dense_in, __global float* restrict dense_out,
    __global const float* restrict weights, __global const int* restrict lists,
    __global const uchar* restrict flags, const WinogradArguments a) {
  __local float kernel_chunks[2][CHUNK * TILE_KERNELS] __attribute__((aligned(16)));
  __local float pixel_chunks[2][CHUNK * TILE_PIXELS] __attribute__((aligned(16)));

  const int z = (int)get_group_id(2) / POSITIONS;
  const int position = (int)get_group_id(2) - z * POSITIONS;
  const int sample = z / a.groups;
  const int first_channel = (z - sample * a.groups) * a.group_channels;
  const Part part = part_at(lists, a.parts, z);
  const int first_kernel = (int)get_group_id(1) * TILE_KERNELS;
  if (first_kernel >= part.kernel_count) return;
  __global const int* kernels = lists + part.kernel_first;
  __global const int* channels = lists + part.channel_first;
  const int first_tile = (int)get_group_id(0) * TILE_PIXELS;
  const int thread = (int)(get_local_id(1) * THREADS_X + get_local_id(0));

  // Past the ends of lists and maps the last kernel and tile stand in: nothing is stored of what
  // comes of it.
  const uint plane = (uint)(sample * POSITIONS + position);
  const uint input_row = plane * (uint)(a.groups * a.group_channels) + (uint)first_channel;
  uint weights_from[KERNEL_LOADS], inputs_from[PIXEL_LOADS];
  UNROLL
  for (int i = 0; i < KERNEL_LOADS; ++i) {
    const int at = first_kernel + (thread + i * THREADS) % TILE_KERNELS;
    weights_from[i] = a.weights + (uint)(position * a.group_channels) * a.weights_row +
                      (uint)kernels[min(at, part.kernel_count - 1)];
  }
  UNROLL
  for (int i = 0; i < PIXEL_LOADS; ++i) {
    const int tile = first_tile + (thread + i * THREADS) % TILE_PIXELS;
    inputs_from[i] = a.inputs + input_row * a.row + (uint)min(tile, a.tiles - 1);
  }

  __global const uchar* alive =
      a.in_flags == PDRT_NONE
          ? 0
          : flags + a.in_flags + (uint)sample * a.in_flags_stride + (uint)first_channel;
  float sums[THREAD_KERNELS][THREAD_PIXELS];
  clear_sums(sums);
  float next_weights[KERNEL_LOADS], next_pixels[PIXEL_LOADS];
  int first = next_chunk(0, channels, part.channel_count, alive);
  load_rows(weights, a.weights_row, weights_from, channels, part.channel_count, first, thread,
            TILE_KERNELS, KERNEL_LOADS, next_weights);
  load_rows(dense_in, a.row, inputs_from, channels, part.channel_count, first, thread, TILE_PIXELS,
            PIXEL_LOADS, next_pixels);
  for (int buffer = 0; first < part.channel_count; buffer ^= 1) {
    // While some are still multiplying what the other buffer holds.
    store_chunk(kernel_chunks[buffer], CHUNK * TILE_KERNELS, thread, next_weights, KERNEL_LOADS);
    store_chunk(pixel_chunks[buffer], CHUNK * TILE_PIXELS, thread, next_pixels, PIXEL_LOADS);
    barrier(CLK_LOCAL_MEM_FENCE);
    first = next_chunk(first + CHUNK, channels, part.channel_count, alive);
    load_rows(weights, a.weights_row, weights_from, channels, part.channel_count, first, thread,
              TILE_KERNELS, KERNEL_LOADS, next_weights);
    load_rows(dense_in, a.row, inputs_from, channels, part.channel_count, first, thread,
              TILE_PIXELS, PIXEL_LOADS, next_pixels);
    multiply_chunk(CHUNK, kernel_chunks[buffer], pixel_chunks[buffer], sums);
  }

  UNROLL
  for (int i = 0; i < THREAD_KERNELS; ++i) {
    const int at = first_kernel + (int)get_local_id(1) * THREAD_KERNELS + i;
    if (at >= part.kernel_count) continue;
    const uint row = plane * (uint)(a.groups * a.group_kernels) + (uint)kernels[at];
    UNROLL
    for (int j = 0; j < THREAD_PIXELS; ++j) {
      const int tile = first_tile + (int)get_local_id(0) + j * THREADS_X;
      if (tile < a.tiles) dense_out[a.sums + row * a.row + (uint)tile] = sums[i][j];
    }
  }
}
