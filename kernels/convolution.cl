// Convolution as a product of matrices that are never made: [active kernels] x [taps of active
// channels] times [taps of active channels] x [pixels]. A work-group computes TILE_KERNELS kernels
// by TILE_PIXELS pixels. What it needs of both matrices for a few channels, a *chunk*, goes through
// local memory; the numbers of the next chunk are on their way while this one is multiplied.
//
// Range: [tiles of pixels][tiles of the longest list of kernels][samples * groups], in work-groups
// of THREADS_X x (THREADS_Y * SLICES) x 1 work-items (tile.h).
// Arguments: in, out, dense_in, dense_out, weights, parameters, stages, lists, flags,
// ConvolutionArguments.
//
// Options: those of tile.h, and
//   FILTER_H, FILTER_W  the filter
//   CHUNK               channels times taps of a slice's chunk, at least (tile.h has the default)
//   POOLED              writes shares of the planes' means, too
#ifndef FILTER_H
#define FILTER_H 1
#endif
#ifndef FILTER_W
#define FILTER_W 1
#endif
#include "tile.h"

// A chunk is CHANNELS channels of each slice with all their taps; of a large filter it is the taps
// in one row of the filter, so that a filter has several BLOCKS of taps.
#define TAPS (FILTER_H * FILTER_W)
#define BLOCKS (TAPS > 16 ? FILTER_H : 1)
#define BLOCK_TAPS (TAPS / BLOCKS)
#define CHANNELS ((CHUNK + BLOCK_TAPS - 1) / BLOCK_TAPS)
#define DEPTH (CHANNELS * BLOCK_TAPS)
#define KERNEL_LOADS LOADS(DEPTH, TILE_KERNELS)
#define PIXEL_LOADS LOADS(DEPTH, TILE_PIXELS)

#if SLICES > 1
#define ROOM (SLICES * TILE_KERNELS * TILE_PIXELS)
#elif defined(POOLED)
#define ROOM (TILE_KERNELS * THREADS_X)
#else
#define ROOM 1
#endif

// What a work-item loads has the same place in every chunk. Of number i: the weight's offset, for
// channel 0, and the pixel's row and column, for the first block of taps. A column is negative
// where it is outside the map, whichever block it is.
typedef struct {
  uint weight[KERNEL_LOADS];
  int y[PIXEL_LOADS], x[PIXEL_LOADS];
} Sources;

// Past the ends of lists and maps the last kernel and pixel stand in: nothing is stored of what
// comes of it.
INLINE Sources find_sources(const ConvolutionArguments* a, __global const int* kernels,
                            int kernel_count, int first_kernel, int first_pixel) {
  Sources from;
  UNROLL
  for (int i = 0; i < KERNEL_LOADS; ++i) {
    const int element = tile_thread() + i * THREADS;
    const int k = kernels[min(first_kernel + element % TILE_KERNELS, kernel_count - 1)];
    const int tap = element / TILE_KERNELS % BLOCK_TAPS;
    from.weight[i] = a->weights + (uint)tap * a->weights_row + (uint)k;
  }
  UNROLL
  for (int i = 0; i < PIXEL_LOADS; ++i) {
    const int element = tile_thread() + i * THREADS;
    const int p = min(first_pixel + element % TILE_PIXELS, a->out.height * a->out.width - 1);
    const int tap = element / TILE_PIXELS % BLOCK_TAPS;
    const int y = p / a->out.width;
    const int x = (p - y * a->out.width) * a->stride_w + tap % FILTER_W * a->dilation_w;
    from.y[i] = y * a->stride_h + tap / FILTER_W * a->dilation_h - a->pad_top;
    from.x[i] = x - a->pad_left < a->in.width ? x - a->pad_left : -1;
  }
  return from;
}

// The entry of the list of channels that is a chunk's first.
INLINE int first_entry(int chunk) { return chunk / BLOCKS * CHANNELS * SLICES; }

// The first chunk from number `chunk` on that is worth a visit, or one past the last.
INLINE int next_chunk(int chunk, __global const int* channels, int channel_count,
                      __global const uchar* flags) {
  while (first_entry(chunk) < channel_count &&
         is_dead(first_entry(chunk), CHANNELS * SLICES, channels, channel_count, flags))
    chunk += BLOCKS - chunk % BLOCKS;
  return chunk;
}

// A work-item's share of a chunk, as load_chunk() does it for weights.
INLINE void load_pixels(__global const PLANE* in, Planes planes, uint plane, int block_y,
                        const Sources* from, __global const int* channels, int channel_count,
                        int first, FACTOR* numbers) {
  UNROLL
  for (int i = 0; i < PIXEL_LOADS; ++i) {
    const int entry = first + (tile_thread() + i * THREADS) / (TILE_PIXELS * BLOCK_TAPS);
    const uint c = (uint)channels[min(entry, channel_count - 1)];
    const int y = from->y[i] + block_y;
    const bool inside = from->x[i] >= 0 && y >= 0 && y < planes.height;
    const uint pixel = inside ? (uint)(y * planes.row + from->x[i]) : 0;
    const FACTOR number = load_factor(in, plane + c * planes.stride + pixel);
    numbers[i] = inside && entry < channel_count ? number : (FACTOR)0;
  }
}

INLINE void load_both(const ConvolutionArguments* a, __global const FACTOR* weights,
                      __global const PLANE* in, uint plane, const Sources* from,
                      __global const int* channels, int channel_count, int chunk,
                      FACTOR* next_weights, FACTOR* next_pixels) {
  const int first = first_entry(chunk) + tile_slice() * CHANNELS;
  const int block = chunk % BLOCKS;
  load_chunk(weights + (uint)(block * BLOCK_TAPS) * a->weights_row, TAPS * a->weights_row,
             from->weight, channels, channel_count, first, BLOCK_TAPS * TILE_KERNELS, KERNEL_LOADS,
             next_weights);
  load_pixels(in, a->in, plane, block * a->dilation_h, from, channels, channel_count, first,
              next_pixels);
}

__kernel __attribute__((reqd_work_group_size(THREADS_X, THREADS_Y* SLICES, 1))) void convolution(
    __global const PLANE* restrict in, __global PLANE* restrict out,
    __global const float* restrict dense_in, __global float* restrict dense_out,
    __global const FACTOR* restrict weights, __global const float* restrict parameters,
    __global const StageArguments* restrict stages, __global const int* restrict lists,
    __global uchar* flags, const ConvolutionArguments a) {
  __local FACTOR kernel_chunks[2][SLICES][DEPTH * TILE_KERNELS] __attribute__((aligned(16)));
  __local FACTOR pixel_chunks[2][SLICES][DEPTH * TILE_PIXELS] __attribute__((aligned(16)));
  __local float room[ROOM];

  const int z = (int)get_group_id(2);
  const int sample = z / a.groups;
  const int first_channel = (z - sample * a.groups) * a.group_channels;
  const Part part = part_at(lists, a.parts, z);
  const int first_kernel = (int)get_group_id(1) * TILE_KERNELS;
  if (first_kernel >= part.kernel_count) return;
  __global const int* kernels = lists + part.kernel_first;
  __global const int* channels = lists + part.channel_first;
  const int first_pixel = (int)get_group_id(0) * TILE_PIXELS;
  const int slice = tile_slice();

  const Sources from = find_sources(&a, kernels, part.kernel_count, first_kernel, first_pixel);
  const uint plane = plane_at(a.in, sample, first_channel);
  __global const uchar* alive =
      a.in_flags == PDRT_NONE
          ? 0
          : flags + a.in_flags + (uint)sample * a.in_flags_stride + (uint)first_channel;
  float sums[THREAD_KERNELS][THREAD_PIXELS];
  clear_sums(sums);

  // Chunks lie in two buffers in turn, so that one barrier for each is enough: while some
  // work-items store a chunk, others may still multiply the one before it.
  FACTOR next_weights[KERNEL_LOADS], next_pixels[PIXEL_LOADS];
  int chunk = next_chunk(0, channels, part.channel_count, alive);
  bool more = first_entry(chunk) < part.channel_count;
  if (more)
    load_both(&a, weights, in, plane, &from, channels, part.channel_count, chunk, next_weights,
              next_pixels);
  for (int buffer = 0; more; buffer ^= 1) {
    store_chunk(kernel_chunks[buffer][slice], DEPTH * TILE_KERNELS, next_weights, KERNEL_LOADS);
    store_chunk(pixel_chunks[buffer][slice], DEPTH * TILE_PIXELS, next_pixels, PIXEL_LOADS);
    barrier(CLK_LOCAL_MEM_FENCE);
    chunk = next_chunk(chunk + 1, channels, part.channel_count, alive);
    more = first_entry(chunk) < part.channel_count;
    if (more)
      load_both(&a, weights, in, plane, &from, channels, part.channel_count, chunk, next_weights,
                next_pixels);
    multiply_chunk(DEPTH, kernel_chunks[buffer][slice], pixel_chunks[buffer][slice], sums);
  }

  float held[KERNELS_HELD][PIXELS_HELD];
  add_slices(room, sums, held);
  int held_kernels[KERNELS_HELD];
  UNROLL
  for (int i = 0; i < KERNELS_HELD; ++i) {
    const int k = kernels[min(first_kernel + held_kernel(i), part.kernel_count - 1)];
    const float bias = a.bias == PDRT_NONE ? 0.0f : parameters[a.bias + (uint)k];
    held_kernels[i] = k;
    UNROLL
    for (int j = 0; j < PIXELS_HELD; ++j) held[i][j] += bias;
  }
  const int last_pixel = a.out.height * a.out.width - 1;
  uint pixels[PIXELS_HELD];
  UNROLL
  for (int j = 0; j < PIXELS_HELD; ++j)
    pixels[j] = pixel_at(a.out, (uint)min(first_pixel + tile_pixel(j), last_pixel));
  const Operands operands = {in, dense_in, parameters};
  run_stages(a.epilogue, stages, operands, sample, held_kernels, pixels, held);

  // Conditions are on the stores alone: of a loop with `continue` PoCL 3.1 makes stores that should
  // not be.
  UNROLL
  for (int i = 0; i < KERNELS_HELD; ++i) {
    const bool listed = first_kernel + held_kernel(i) < part.kernel_count;
    const uint to = plane_at(a.out, sample, held_kernels[i]);
    bool any = false;
    UNROLL
    for (int j = 0; j < PIXELS_HELD; ++j) {
      const bool wanted = listed && first_pixel + tile_pixel(j) <= last_pixel;
      if (wanted) store_pixel(out, to + pixels[j], held[i][j]);
      any |= wanted && stored_nonzero(held[i][j]);
    }
    if (any) set_flag(flags, a.out_flags, a.out_flags_stride, sample, held_kernels[i]);
  }

#ifdef POOLED
  // The pixels of a kernel are a row of work-items'.
  barrier(CLK_LOCAL_MEM_FENCE);
  UNROLL
  for (int i = 0; i < KERNELS_HELD; ++i) {
    float sum = 0.0f;
    UNROLL
    for (int j = 0; j < PIXELS_HELD; ++j)
      sum += first_pixel + tile_pixel(j) <= last_pixel ? held[i][j] : 0.0f;
    room[held_kernel(i) * THREADS_X + (int)get_local_id(0)] = sum;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  const int row = (int)get_local_id(1) * THREADS_X + (int)get_local_id(0);
  for (int i = row; i < min(TILE_KERNELS, part.kernel_count - first_kernel);
       i += THREADS * SLICES) {
    float sum = 0.0f;
    for (int j = 0; j < THREADS_X; ++j) sum += room[i * THREADS_X + j];
    const int k = kernels[first_kernel + i];
    const int plane_number = sample * a.groups * a.group_kernels + k;
    dense_out[share_at(a.pooled, plane_number)] = sum * a.pooled.per_pixel;
  }
#endif
}
