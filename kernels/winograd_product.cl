// Winograd, second: at every position, sums over active channels for active kernels. The same tiles
// of the same product as in convolution.cl; what is a pixel there is one of the map's tiles here.
//
// Range: [tiles of pixels][tiles of the longest list of kernels][samples * groups * positions], in
// work-groups of THREADS_X x (THREADS_Y * SLICES) x 1 work-items (tile.h).
// Arguments: dense_in, dense_out, weights, lists, flags, WinogradArguments.
//
// Options: those of tile.h, and
//   TILE   2 or 4
//   CHUNK  channels of a slice's chunk (tile.h has the default)
#include "tile.h"
#include "winograd.h"

#define KERNEL_LOADS LOADS(CHUNK, TILE_KERNELS)
#define PIXEL_LOADS LOADS(CHUNK, TILE_PIXELS)

// The first entry of the list of channels, from `first` on in steps of a chunk, that is worth a
// visit; or one past the last.
INLINE int next_chunk(int first, __global const int* channels, int channel_count,
                      __global const uchar* flags) {
  while (first < channel_count && is_dead(first, CHUNK * SLICES, channels, channel_count, flags))
    first += CHUNK * SLICES;
  return first;
}

// A work-item's share of a chunk: rows of weights and rows of inputs.
INLINE void load_both(const WinogradArguments* a, __global const FACTOR* weights,
                      __global const FACTOR* dense, const uint* weights_from,
                      const uint* inputs_from, __global const int* channels, int channel_count,
                      int first, FACTOR* next_weights, FACTOR* next_pixels) {
  const int own = first + tile_slice() * CHUNK;
  load_chunk(weights, a->weights_row, weights_from, channels, channel_count, own, TILE_KERNELS,
             KERNEL_LOADS, next_weights);
  load_chunk(dense, a->row, inputs_from, channels, channel_count, own, TILE_PIXELS, PIXEL_LOADS,
             next_pixels);
}

__kernel __attribute__((reqd_work_group_size(THREADS_X, THREADS_Y* SLICES, 1))) void
winograd_product(__global const FACTOR* restrict dense_in, __global float* restrict dense_out,
                 __global const FACTOR* restrict weights, __global const int* restrict lists,
                 __global const uchar* restrict flags, const WinogradArguments a) {
  __local FACTOR kernel_chunks[2][SLICES][CHUNK * TILE_KERNELS] __attribute__((aligned(16)));
  __local FACTOR pixel_chunks[2][SLICES][CHUNK * TILE_PIXELS] __attribute__((aligned(16)));
  __local float room[SLICES > 1 ? SLICES * TILE_KERNELS * TILE_PIXELS : 1];

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
  const int slice = tile_slice();

  // Past the ends of lists and maps the last kernel and tile stand in: nothing is stored of what
  // comes of it.
  const uint plane = (uint)(sample * POSITIONS + position);
  const uint input_row = plane * (uint)(a.groups * a.group_channels) + (uint)first_channel;
  uint weights_from[KERNEL_LOADS], inputs_from[PIXEL_LOADS];
  UNROLL
  for (int i = 0; i < KERNEL_LOADS; ++i) {
    const int at = first_kernel + (tile_thread() + i * THREADS) % TILE_KERNELS;
    weights_from[i] = a.weights + (uint)(position * a.group_channels) * a.weights_row +
                      (uint)kernels[min(at, part.kernel_count - 1)];
  }
  UNROLL
  for (int i = 0; i < PIXEL_LOADS; ++i) {
    const int tile = first_tile + (tile_thread() + i * THREADS) % TILE_PIXELS;
    inputs_from[i] = a.inputs + input_row * a.row + (uint)min(tile, a.tiles - 1);
  }

  __global const uchar* alive =
      a.in_flags == PDRT_NONE
          ? 0
          : flags + a.in_flags + (uint)sample * a.in_flags_stride + (uint)first_channel;
  float sums[THREAD_KERNELS][THREAD_PIXELS];
  clear_sums(sums);
  FACTOR next_weights[KERNEL_LOADS], next_pixels[PIXEL_LOADS];
  int first = next_chunk(0, channels, part.channel_count, alive);
  if (first < part.channel_count)
    load_both(&a, weights, dense_in, weights_from, inputs_from, channels, part.channel_count, first,
              next_weights, next_pixels);
  for (int buffer = 0; first < part.channel_count; buffer ^= 1) {
    store_chunk(kernel_chunks[buffer][slice], CHUNK * TILE_KERNELS, next_weights, KERNEL_LOADS);
    store_chunk(pixel_chunks[buffer][slice], CHUNK * TILE_PIXELS, next_pixels, PIXEL_LOADS);
    barrier(CLK_LOCAL_MEM_FENCE);
    first = next_chunk(first + CHUNK * SLICES, channels, part.channel_count, alive);
    if (first < part.channel_count)
      load_both(&a, weights, dense_in, weights_from, inputs_from, channels, part.channel_count,
                first, next_weights, next_pixels);
    multiply_chunk(CHUNK, kernel_chunks[buffer][slice], pixel_chunks[buffer][slice], sums);
  }

  float held[KERNELS_HELD][PIXELS_HELD];
  add_slices(room, sums, held);
  UNROLL
  for (int i = 0; i < KERNELS_HELD; ++i) {
    const int at = first_kernel + held_kernel(i);
    const uint k = (uint)kernels[min(at, part.kernel_count - 1)];
    const uint to = a.sums + (plane * (uint)(a.groups * a.group_kernels) + k) * a.row;
    UNROLL
    for (int j = 0; j < PIXELS_HELD; ++j) {
      const int tile = first_tile + tile_pixel(j);
      if (at < part.kernel_count && tile < a.tiles) dense_out[to + (uint)tile] = held[i][j];
    }
  }
}
