// Softmax of dense numbers [outer][length][inner] along `length`. The largest number is subtracted
// first, so that nothing overflows. A work-group takes WIDTH neighbours along `inner`, with LANES
// work-items for each.
//
// Range: [inner, rounded up][LANES][outer], in work-groups of WIDTH x LANES x 1.
// Arguments: dense_in, dense_out, AxisArguments.
//
// Options:
//   LOGARITHM     1: the logarithm of it
//   WIDTH, LANES  powers of two: wide where `inner` is long, many lanes where it is short
#ifndef LOGARITHM
#define LOGARITHM 0
#endif
#ifndef WIDTH
#define WIDTH 1
#endif
#ifndef LANES
#define LANES 64
#endif
#include "storage.h"

INLINE float larger(float x, float y) { return x > y || x != x ? x : y; }

__kernel __attribute__((reqd_work_group_size(WIDTH, LANES, 1))) void softmax(
    __global const float* restrict dense_in, __global float* restrict dense_out,
    const AxisArguments a) {
  __local float partial[LANES][WIDTH];
  const int column = (int)get_local_id(0);
  const int lane = (int)get_local_id(1);
  const int inner = (int)get_global_id(0);
  // A column that is none does what the last one does and stores nothing: all meet at barriers.
  const uint at =
      (uint)get_group_id(2) * (uint)(a.length * a.inner) + (uint)min(inner, a.inner - 1);
  __global const float* from = dense_in + a.in + at;

  float largest = -INFINITY;
  for (int i = lane; i < a.length; i += LANES) largest = larger(largest, from[i * a.inner]);
  partial[lane][column] = largest;
  for (int rest = LANES / 2; rest > 0; rest /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (lane < rest)
      partial[lane][column] = larger(partial[lane][column], partial[lane + rest][column]);
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  largest = partial[0][column];
  barrier(CLK_LOCAL_MEM_FENCE);

  float sum = 0.0f;
  for (int i = lane; i < a.length; i += LANES) sum += exp(from[i * a.inner] - largest);
  partial[lane][column] = sum;
  for (int rest = LANES / 2; rest > 0; rest /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (lane < rest) partial[lane][column] += partial[lane + rest][column];
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  sum = partial[0][column];

  if (inner >= a.inner) return;
  __global float* to = dense_out + a.out + at;
  for (int i = lane; i < a.length; i += LANES) {
    const float x = from[i * a.inner] - largest;
    to[i * a.inner] = LOGARITHM ? x - log(sum) : exp(x) / sum;
  }
}
