// Reduces dense numbers [outer][length][inner] along `length`. A work-group reduces WIDTH
// neighbours along `inner`, with LANES work-items for each.
//
// Range: [inner, rounded up][LANES][outer], in work-groups of WIDTH x LANES x 1.
// Arguments: dense_in, dense_out, AxisArguments.
//
// Options:
//   OPERATION     0 sum, 1 mean, 2 maximum, 3 minimum
//   WIDTH, LANES  powers of two: wide where `inner` is long, many lanes where it is short
#ifndef OPERATION
#define OPERATION 0
#endif
#ifndef WIDTH
#define WIDTH 1
#endif
#ifndef LANES
#define LANES 64
#endif
#include "storage.h"

#if OPERATION == 2
#define NEUTRAL (-INFINITY)
#elif OPERATION == 3
#define NEUTRAL INFINITY
#else
#define NEUTRAL 0.0f
#endif

INLINE float combined(float x, float y) {
#if OPERATION == 2
  return x > y || x != x ? x : y;
#elif OPERATION == 3
  return x < y || x != x ? x : y;
#else
  return x + y;
#endif
}

__kernel __attribute__((reqd_work_group_size(WIDTH, LANES, 1))) void reduce(
    __global const float* restrict dense_in, __global float* restrict dense_out,
    const AxisArguments a) {
  __local float partial[LANES][WIDTH];
  const int column = (int)get_local_id(0);
  const int lane = (int)get_local_id(1);
  const int inner = (int)get_global_id(0);
  const uint outer = (uint)get_group_id(2);

  float result = NEUTRAL;
  if (inner < a.inner) {
    __global const float* line = dense_in + a.in + outer * (uint)(a.length * a.inner) + inner;
    for (int i = lane; i < a.length; i += LANES) result = combined(result, line[i * a.inner]);
  }
  partial[lane][column] = result;
  for (int rest = LANES / 2; rest > 0; rest /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (lane < rest)
      partial[lane][column] = combined(partial[lane][column], partial[lane + rest][column]);
  }
  if (lane == 0 && inner < a.inner) {
    result = partial[0][column];
    dense_out[a.out + outer * (uint)a.inner + (uint)inner] =
        OPERATION == 1 ? result / (float)a.length : result;
  }
}
