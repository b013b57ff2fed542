// A work-group's part of a product of matrices: a tile of TILE_KERNELS kernels by TILE_PIXELS
// pixels, of which each work-item holds THREAD_KERNELS by THREAD_PIXELS sums. Kernels of a
// work-item lie side by side, so that they are read as vectors and all work-items of a row of the
// group read the same; its pixels lie THREADS_X apart, so that neighbours read and write
// neighbouring numbers. Neither has bank conflicts.
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

#define KERNELS_HELD THREAD_KERNELS
#define PIXELS_HELD THREAD_PIXELS
#include "stages.h"

#define THREADS_X (TILE_PIXELS / THREAD_PIXELS)
#define THREADS_Y (TILE_KERNELS / THREAD_KERNELS)
#define THREADS (THREADS_X * THREADS_Y)

// How many numbers of a chunk, `depth` rows of `width`, a work-item brings: those at
// thread + i * THREADS.
#define LOADS(depth, width) (((depth) * (width) + THREADS - 1) / THREADS)

// Whether entries [first, first + count) of a list of channels are zero all over, as far as flags
// say; `flags` may be 0.
static inline bool is_dead(int first, int count, __global const int* channels, int channel_count,
                           __global const uchar* flags) {
  uint alive = !flags;
  UNROLL
  for (int i = 0; i < count && flags; ++i)
    alive |= flags[channels[min(first + i, channel_count - 1)]];
  return !alive;
}

// A work-item's share of a chunk, to local memory.
static inline void store_chunk(__local float* chunk, int size, int thread, const float* numbers,
                               int count) {
  UNROLL
  for (int i = 0; i < count; ++i) {
    const int element = thread + i * THREADS;
    if (element < size) chunk[element] = numbers[i];
  }
}

static inline void clear_sums(float (*sums)[THREAD_PIXELS]) {
  UNROLL
  for (int i = 0; i < THREAD_KERNELS; ++i) {
    UNROLL
    for (int j = 0; j < THREAD_PIXELS; ++j) sums[i][j] = 0.0f;
  }
}

// sums[i][j] += kernels[d][i] * pixels[d][j] over the rows d of a chunk.
static inline void multiply_chunk(int depth, __local const float* kernels,
                                  __local const float* pixels, float (*sums)[THREAD_PIXELS]) {
  kernels += get_local_id(1) * THREAD_KERNELS;
  pixels += get_local_id(0);
  UNROLL
  for (int d = 0; d < depth; ++d) {
    float weight[THREAD_KERNELS];
    UNROLL
    for (int i = 0; i < THREAD_KERNELS; ++i) weight[i] = kernels[d * TILE_KERNELS + i];
    UNROLL
    for (int j = 0; j < THREAD_PIXELS; ++j) {
      const float x = pixels[d * TILE_PIXELS + j * THREADS_X];
      UNROLL
      for (int i = 0; i < THREAD_KERNELS; ++i) sums[i][j] = mad(weight[i], x, sums[i][j]);
    }
  }
}

#endif
