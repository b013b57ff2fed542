// A work-group's part of a product of matrices: a tile of TILE_KERNELS kernels by TILE_PIXELS
// pixels, summed up over listed channels. Chunks of a few channels go through local memory.
//
// Options:
//   TILE_KERNELS, TILE_PIXELS       of a work-group
//   THREAD_KERNELS, THREAD_PIXELS   of a work-item; they divide the tile's
//   RUN                             pixels of a work-item that lie side by side; divides
//                                   THREAD_PIXELS
//   SLICES                          groups of work-items that share out the channels, so that few
//                                   tiles make many work-items; divides THREAD_KERNELS
//
// Local memory has no bank conflicts: kernels of a work-item lie side by side, are read as vectors,
// and a row of work-items reads the same ones. Runs of pixels lie THREADS_X runs apart: with RUN 1
// neighbours read and write neighbours, with RUN 4 they read vectors, which is fewer instructions
// in the loop for more transactions when pixels are stored.
//
// In halves (-DPDRT_HALF_ARITHMETIC) products are made and added as halves within a chunk, and its
// sums are added as floats, so that errors do not grow with the number of channels. Kernels side by
// side are the lanes of a vector, as many GPUs are fast with pairs of halves alone; each is
// multiplied by one pixel for all lanes. Pixels are read as pairs, 32 bits like a float, so RUN is
// even.
#ifndef PDRT_KERNELS_TILE_H
#define PDRT_KERNELS_TILE_H

#ifndef TILE_KERNELS
#define TILE_KERNELS 64
#endif
#ifndef TILE_PIXELS
#define TILE_PIXELS 64
#endif
#ifndef THREAD_KERNELS
#define THREAD_KERNELS 4
#endif
#ifndef THREAD_PIXELS
#define THREAD_PIXELS 4
#endif
#ifdef PDRT_HALF_ARITHMETIC
#ifndef RUN
#define RUN 2
#endif
#ifndef CHUNK
#define CHUNK 16  // as many bytes as 8 floats, and sums of so few halves
#endif
#endif
#ifndef RUN
#define RUN 1
#endif
#ifndef CHUNK
#define CHUNK 8
#endif
#ifndef SLICES
#define SLICES 1
#endif

#define KERNELS_HELD (THREAD_KERNELS / SLICES)
#define PIXELS_HELD THREAD_PIXELS
#include "stages.h"

#define THREADS_X (TILE_PIXELS / THREAD_PIXELS)
#define THREADS_Y (TILE_KERNELS / THREAD_KERNELS)
#define THREADS (THREADS_X * THREADS_Y)  // of a slice

// How many numbers of a slice's chunk, `depth` rows of `width`, a work-item brings: those at
// thread + i * THREADS.
#define LOADS(depth, width) (((depth) * (width) + THREADS - 1) / THREADS)

// A work-item's slice, its row of the slice and its number in it; where its pixel j, its kernel i
// and kernel i of those it finishes are in the tile.
INLINE int tile_slice(void) { return SLICES > 1 ? (int)get_local_id(1) / THREADS_Y : 0; }
INLINE int tile_row(void) { return (int)get_local_id(1) - tile_slice() * THREADS_Y; }
INLINE int tile_thread(void) { return tile_row() * THREADS_X + (int)get_local_id(0); }
INLINE int tile_pixel(int j) {
  return (int)get_local_id(0) * RUN + j % RUN + j / RUN * THREADS_X * RUN;
}
INLINE int tile_kernel(int i) { return tile_row() * THREAD_KERNELS + i; }
INLINE int held_kernel(int i) { return tile_kernel(tile_slice() * KERNELS_HELD + i); }

// Whether entries [first, first + count) of a list of channels are zero all over, as far as flags
// say; `flags` may be 0.
INLINE bool is_dead(int first, int count, __global const int* channels, int channel_count,
                    __global const uchar* flags) {
  uint alive = !flags;
  UNROLL
  for (int i = 0; i < count && flags; ++i)
    alive |= flags[channels[min(first + i, channel_count - 1)]];
  return !alive;
}

// A work-item's share of a chunk of a matrix, in which a channel has `of_channel` numbers of the
// chunk, and is `stride` away from the next. Number i is at from[i] of the channel; entry `first`
// of the list is the chunk's first channel. Zeros where the list has ended; there, as in all places
// that do not count, something else is loaded that exists: loads without a condition are on their
// way together.
INLINE void load_chunk(__global const FACTOR* matrix, uint stride, const uint* from,
                       __global const int* channels, int channel_count, int first, int of_channel,
                       int count, FACTOR* numbers) {
  UNROLL
  for (int i = 0; i < count; ++i) {
    const int entry = first + (tile_thread() + i * THREADS) / of_channel;
    const uint c = (uint)channels[min(entry, channel_count - 1)];
    const FACTOR number = matrix[from[i] + c * stride];
    numbers[i] = entry < channel_count ? number : (FACTOR)0;
  }
}

// A work-item's share of a chunk, to local memory.
INLINE void store_chunk(__local FACTOR* chunk, int size, const FACTOR* numbers, int count) {
  UNROLL
  for (int i = 0; i < count; ++i) {
    const int element = tile_thread() + i * THREADS;
    if (element < size) chunk[element] = numbers[i];
  }
}

INLINE void clear_sums(float (*sums)[THREAD_PIXELS]) {
  UNROLL
  for (int i = 0; i < THREAD_KERNELS; ++i) {
    UNROLL
    for (int j = 0; j < THREAD_PIXELS; ++j) sums[i][j] = 0.0f;
  }
}

// sums[i][j] += kernels[d][i] * pixels[d][j] over the rows d of a chunk.
#ifdef PDRT_HALF_ARITHMETIC
#if THREAD_KERNELS % 4 == 0
#define LANES 4
#define HALVES half4
#else
#define LANES 2
#define HALVES half2
#endif

INLINE void multiply_chunk(int depth, __local const half* kernels, __local const half* pixels,
                           float (*sums)[THREAD_PIXELS]) {
  union {
    HALVES vector;
    half lanes[LANES];
  } added[THREAD_KERNELS / LANES][THREAD_PIXELS];
  UNROLL
  for (int i = 0; i < THREAD_KERNELS / LANES; ++i) {
    UNROLL
    for (int j = 0; j < THREAD_PIXELS; ++j) added[i][j].vector = (HALVES)(0);
  }
  UNROLL
  for (int d = 0; d < depth; ++d) {
    HALVES weight[THREAD_KERNELS / LANES];
    half pixel[THREAD_PIXELS];
    UNROLL
    for (int i = 0; i < THREAD_KERNELS / LANES; ++i)
      weight[i] = *(__local const HALVES*)(kernels + d * TILE_KERNELS + tile_kernel(i * LANES));
    UNROLL
    for (int j = 0; j < THREAD_PIXELS; j += 2) {
      const half2 pair = *(__local const half2*)(pixels + d * TILE_PIXELS + tile_pixel(j));
      pixel[j] = pair.x;
      pixel[j + 1] = pair.y;
    }
    UNROLL
    for (int i = 0; i < THREAD_KERNELS / LANES; ++i) {
      UNROLL
      for (int j = 0; j < THREAD_PIXELS; ++j)
        added[i][j].vector = mad(weight[i], (HALVES)(pixel[j]), added[i][j].vector);
    }
  }
  UNROLL
  for (int i = 0; i < THREAD_KERNELS; ++i) {
    UNROLL
    for (int j = 0; j < THREAD_PIXELS; ++j)
      sums[i][j] += (float)added[i / LANES][j].lanes[i % LANES];
  }
}
#else
INLINE void multiply_chunk(int depth, __local const float* kernels, __local const float* pixels,
                           float (*sums)[THREAD_PIXELS]) {
  UNROLL
  for (int d = 0; d < depth; ++d) {
    float weight[THREAD_KERNELS], pixel[THREAD_PIXELS];
    UNROLL
    for (int i = 0; i < THREAD_KERNELS; ++i) weight[i] = kernels[d * TILE_KERNELS + tile_kernel(i)];
    UNROLL
    for (int j = 0; j < THREAD_PIXELS; ++j) pixel[j] = pixels[d * TILE_PIXELS + tile_pixel(j)];
    UNROLL
    for (int i = 0; i < THREAD_KERNELS; ++i) {
      UNROLL
      for (int j = 0; j < THREAD_PIXELS; ++j) sums[i][j] = mad(weight[i], pixel[j], sums[i][j]);
    }
  }
}
#endif

// Adds up the sums of all slices, of which each gets its share of every work-item's kernels.
INLINE void add_slices(__local float* room, const float (*sums)[THREAD_PIXELS],
                       float (*held)[PIXELS_HELD]) {
#if SLICES == 1
  UNROLL
  for (int i = 0; i < THREAD_KERNELS * THREAD_PIXELS; ++i)
    held[i / THREAD_PIXELS][i % THREAD_PIXELS] = sums[i / THREAD_PIXELS][i % THREAD_PIXELS];
#else
  __local float* column = room + tile_thread();
  UNROLL
  for (int i = 0; i < THREAD_KERNELS * THREAD_PIXELS; ++i)
    column[(tile_slice() * THREAD_KERNELS * THREAD_PIXELS + i) * THREADS] =
        sums[i / THREAD_PIXELS][i % THREAD_PIXELS];
  barrier(CLK_LOCAL_MEM_FENCE);
  column += tile_slice() * KERNELS_HELD * PIXELS_HELD * THREADS;
  UNROLL
  for (int i = 0; i < KERNELS_HELD * PIXELS_HELD; ++i) {
    float sum = 0.0f;
    UNROLL
    for (int slice = 0; slice < SLICES; ++slice)
      sum += column[(slice * THREAD_KERNELS * THREAD_PIXELS + i) * THREADS];
    held[i / PIXELS_HELD][i % PIXELS_HELD] = sum;
  }
#endif
}

#endif
