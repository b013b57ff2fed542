// Convolution as a product of matrices that are never made: [active kernels] x [taps of active
// channels] times [taps of active channels] x [pixels]. A work-group computes TILE_KERNELS kernels
// by TILE_PIXELS pixels. What it needs of both matrices for a few channels, a *chunk*, goes through
// local memory; the numbers of the next chunk are on their way while this one is multiplied.
//
// Range: [tiles of pixels][tiles of the longest list of kernels][samples * groups], in work-groups
// of THREADS_X x THREADS_Y x 1 (tile.h).
// Arguments: in, out, dense_in, weights, parameters, stages, lists, flags, ConvolutionArguments.
//
// Options:
//   FILTER_H, FILTER_W              the filter
//   TILE_KERNELS, TILE_PIXELS       of a work-group
//   THREAD_KERNELS, THREAD_PIXELS   of a work-item; they divide the tile's
//   CHUNK                           channels times taps of a chunk, at least
#ifndef FILTER_H
#define FILTER_H 1
#endif
#ifndef FILTER_W
#define FILTER_W 1
#endif
#ifndef CHUNK
#define CHUNK 8
#endif

#include "tile.h"

// A chunk is CHANNELS channels with all their taps; of a large filter it is the taps in one row of
// the filter, so that a filter has several BLOCKS of taps.
#define TAPS (FILTER_H * FILTER_W)
#define BLOCKS (TAPS > 16 ? FILTER_H : 1)
#define BLOCK_TAPS (TAPS / BLOCKS)
#define CHANNELS ((CHUNK + BLOCK_TAPS - 1) / BLOCK_TAPS)
#define DEPTH (CHANNELS * BLOCK_TAPS)
#define KERNEL_LOADS LOADS(DEPTH, TILE_KERNELS)
#define PIXEL_LOADS LOADS(DEPTH, TILE_PIXELS)

// The first chunk from number `chunk` on that is worth a visit, or one past the last.
static inline int next_chunk(int chunk, __global const int* channels, int channel_count,
                             __global const uchar* flags) {
  while (chunk / BLOCKS * CHANNELS < channel_count &&
         is_dead(chunk / BLOCKS * CHANNELS, CHANNELS, channels, channel_count, flags))
    chunk += BLOCKS - chunk % BLOCKS;
  return chunk;
}

// This work-item's share of a chunk of weights; zeros where the list of channels has ended.
static inline void load_weights(const ConvolutionArguments* a, __global const float* weights,
                                const uint* from, __global const int* channels, int channel_count,
                                int chunk, int thread, float* numbers) {
  UNROLL
  for (int i = 0; i < KERNEL_LOADS; ++i) {
    const int element = thread + i * THREADS;
    const int c = chunk / BLOCKS * CHANNELS + element / TILE_KERNELS / BLOCK_TAPS;
    const bool inside = element < DEPTH * TILE_KERNELS && c < channel_count;
    const uint row = inside ? (uint)(channels[c] * TAPS + chunk % BLOCKS * BLOCK_TAPS) : 0;
    numbers[i] = inside ? weights[from[i] + row * a->weights_row] : 0.0f;
  }
}

// The same of pixels. y[i] and x[i] are where number i is in the first block of taps; x is negative
// where no block's is in the map.
static inline void load_pixels(const ConvolutionArguments* a, __global const PLANE* in, uint plane,
                               const int* y, const int* x, __global const int* channels,
                               int channel_count, int chunk, int thread, float* numbers) {
  const int block_y = chunk % BLOCKS * a->dilation_h;
  UNROLL
  for (int i = 0; i < PIXEL_LOADS; ++i) {
    const int element = thread + i * THREADS;
    const int c = chunk / BLOCKS * CHANNELS + element / TILE_PIXELS / BLOCK_TAPS;
    const bool inside = element < DEPTH * TILE_PIXELS && c < channel_count && x[i] >= 0 &&
                        y[i] + block_y >= 0 && y[i] + block_y < a->in.height;
    const uint pixel = (uint)((y[i] + block_y) * a->in.row + x[i]);
    numbers[i] = inside ? load_pixel(in, plane + (uint)channels[c] * a->in.stride + pixel) : 0.0f;
  }
}

__kernel __attribute__((reqd_work_group_size(THREADS_X, THREADS_Y, 1))) void convolution(
    __global const PLANE* restrict in, __global PLANE* restrict out,
    __global const float* restrict dense_in, __global const float* restrict weights,
    __global const float* restrict parameters, __global const StageArguments* restrict stages,
    __global const int* restrict lists, __global uchar* flags, const ConvolutionArguments a) {
  __local float kernel_chunks[2][DEPTH * TILE_KERNELS] __attribute__((aligned(16)));
  __local float pixel_chunks[2][DEPTH * TILE_PIXELS] __attribute__((aligned(16)));

  const int z = (int)get_group_id(2);
  const int sample = z / a.groups;
  const int first_channel = (z - sample * a.groups) * a.group_channels;
  const Part part = part_at(lists, a.parts, z);
  const int first_kernel = (int)get_group_id(1) * TILE_KERNELS;
  if (first_kernel >= part.kernel_count) return;
  __global const int* kernels = lists + part.kernel_first;
  __global const int* channels = lists + part.channel_first;
  const int last_pixel = a.out.height * a.out.width - 1;
  const int first_pixel = (int)get_group_id(0) * TILE_PIXELS;
  const int thread = (int)(get_local_id(1) * THREADS_X + get_local_id(0));

  // What a work-item loads has the same place in every chunk, so most of where it comes from is
  // known now. Past the ends of lists and maps the last kernel and pixel stand in: nothing is
  // stored of what comes of it.
  uint weights_from[KERNEL_LOADS];
  UNROLL
  for (int i = 0; i < KERNEL_LOADS; ++i) {
    const int element = thread + i * THREADS;
    const int k = kernels[min(first_kernel + element % TILE_KERNELS, part.kernel_count - 1)];
    const int tap = element / TILE_KERNELS % BLOCK_TAPS;
    weights_from[i] = a.weights + (uint)tap * a.weights_row + (uint)k;
  }
  int from_y[PIXEL_LOADS], from_x[PIXEL_LOADS];
  UNROLL
  for (int i = 0; i < PIXEL_LOADS; ++i) {
    const int element = thread + i * THREADS;
    const int p = min(first_pixel + element % TILE_PIXELS, last_pixel);
    const int tap = element / TILE_PIXELS % BLOCK_TAPS;
    const int y = p / a.out.width;
    const int x = (p - y * a.out.width) * a.stride_w + tap % FILTER_W * a.dilation_w - a.pad_left;
    from_y[i] = y * a.stride_h + tap / FILTER_W * a.dilation_h - a.pad_top;
    from_x[i] = x < a.in.width ? x : -1;
  }

  const uint plane = plane_at(a.in, sample, first_channel);
  __global const uchar* alive =
      a.in_flags == PDRT_NONE
          ? 0
          : flags + a.in_flags + (uint)sample * a.in_flags_stride + (uint)first_channel;
  float sums[THREAD_KERNELS][THREAD_PIXELS];
  clear_sums(sums);
  float next_weights[KERNEL_LOADS], next_pixels[PIXEL_LOADS];
  const int chunks = (part.channel_count + CHANNELS - 1) / CHANNELS * BLOCKS;
  int chunk = next_chunk(0, channels, part.channel_count, alive);
  load_weights(&a, weights, weights_from, channels, part.channel_count, chunk, thread,
               next_weights);
  load_pixels(&a, in, plane, from_y, from_x, channels, part.channel_count, chunk, thread,
              next_pixels);
  for (int buffer = 0; chunk < chunks; buffer ^= 1) {
    // While some are still multiplying what the other buffer holds.
    store_chunk(kernel_chunks[buffer], DEPTH * TILE_KERNELS, thread, next_weights, KERNEL_LOADS);
    store_chunk(pixel_chunks[buffer], DEPTH * TILE_PIXELS, thread, next_pixels, PIXEL_LOADS);
    barrier(CLK_LOCAL_MEM_FENCE);
    chunk = next_chunk(chunk + 1, channels, part.channel_count, alive);
    load_weights(&a, weights, weights_from, channels, part.channel_count, chunk, thread,
                 next_weights);
    load_pixels(&a, in, plane, from_y, from_x, channels, part.channel_count, chunk, thread,
                next_pixels);
    multiply_chunk(DEPTH, kernel_chunks[buffer], pixel_chunks[buffer], sums);
  }

  int held[THREAD_KERNELS];
  UNROLL
  for (int i = 0; i < THREAD_KERNELS; ++i) {
    const int at = first_kernel + (int)get_local_id(1) * THREAD_KERNELS + i;
    held[i] = kernels[min(at, part.kernel_count - 1)];
    const float bias = a.bias == PDRT_NONE ? 0.0f : parameters[a.bias + (uint)held[i]];
    UNROLL
    for (int j = 0; j < THREAD_PIXELS; ++j) sums[i][j] += bias;
  }
  uint pixels[THREAD_PIXELS];
  UNROLL
  for (int j = 0; j < THREAD_PIXELS; ++j) {
    const int p = first_pixel + (int)get_local_id(0) + j * THREADS_X;
    pixels[j] = pixel_at(a.out, (uint)min(p, last_pixel));
  }
  const Operands operands = {in, dense_in, parameters};
  run_stages(a.epilogue, stages, operands, sample, held, pixels, sums);

  UNROLL
  for (int i = 0; i < THREAD_KERNELS; ++i) {
    if (first_kernel + (int)get_local_id(1) * THREAD_KERNELS + i >= part.kernel_count) continue;
    const uint to = plane_at(a.out, sample, held[i]);
    bool alive_here = false;
    UNROLL
    for (int j = 0; j < THREAD_PIXELS; ++j) {
      if (first_pixel + (int)get_local_id(0) + j * THREADS_X > last_pixel) continue;
      store_pixel(out, to + pixels[j], sums[i][j]);
      alive_here |= sums[i][j] != 0.0f;
    }
    if (alive_here) set_flag(flags, a.out_flags, a.out_flags_stride, sample, held[i]);
  }
}
