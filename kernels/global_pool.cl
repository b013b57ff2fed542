// The mean or the maximum of whole planes: a work-group reduces one.
//
// Range: [REDUCE_SIZE][longest list][samples], in work-groups of REDUCE_SIZE x 1 x 1.
// Arguments: in, dense_out, lists, GlobalPoolArguments.
// Options: REDUCE_SIZE, work-items of a work-group: a power of two.
#ifndef REDUCE_SIZE
#define REDUCE_SIZE 64
#endif
#include "storage.h"

INLINE float combined(float x, float y, int maximum) {
  if (!maximum) return x + y;
  return x > y || x != x ? x : y;
}

__kernel __attribute__((reqd_work_group_size(REDUCE_SIZE, 1, 1))) void global_pool(
    __global const PLANE* restrict in, __global float* restrict dense_out,
    __global const int* restrict lists, const GlobalPoolArguments a) {
  __local float partial[REDUCE_SIZE];
  const int sample = (int)get_group_id(2);
  const Part part = part_at(lists, a.parts, sample);
  if ((int)get_group_id(1) >= part.kernel_count) return;

  const int k = lists[part.kernel_first + (int)get_group_id(1)];
  const uint plane = plane_at(a.in, sample, k);
  const int lane = (int)get_local_id(0);
  const int count = a.in.height * a.in.width;
  float result = a.maximum ? -INFINITY : 0.0f;
  for (int p = lane; p < count; p += REDUCE_SIZE)
    result = combined(result, load_pixel(in, plane + pixel_at(a.in, (uint)p)), a.maximum);
  partial[lane] = result;
  for (int half_size = REDUCE_SIZE / 2; half_size > 0; half_size /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (lane < half_size)
      partial[lane] = combined(partial[lane], partial[lane + half_size], a.maximum);
  }
  if (lane == 0)
    dense_out[a.out + (uint)(sample * a.channels + k)] =
        a.maximum ? partial[0] : partial[0] / (float)count;
}
