// An array of any four strides becomes planes.
//
// Range: [pixels][longest list][samples], or more along the pixels, in work-groups of
// n x 1 x 1.
// Arguments: array, out, lists, flags, TransferArguments.
// Options: ARRAY_TYPE, of the array's numbers.
#ifndef ARRAY_TYPE
#define ARRAY_TYPE float
#endif
#include "storage.h"

__kernel void load(__global const ARRAY_TYPE* restrict array, __global PLANE* restrict out,
                   __global const int* restrict lists, __global uchar* restrict flags,
                   const TransferArguments a) {
  const int sample = (int)get_group_id(2);
  const Part part = part_at(lists, a.parts, sample);
  const int entry = (int)get_group_id(1);
  const int p = (int)get_global_id(0);
  if (entry >= part.kernel_count || p >= a.planes.height * a.planes.width) return;

  const int c = lists[part.kernel_first + entry];
  const int y = p / a.planes.width;
  const int x = p - y * a.planes.width;
  const float number =
      (float)array[a.array + (uint)sample * a.sample_stride + (uint)c * a.channel_stride +
                   (uint)y * a.row_stride + (uint)x * a.pixel_stride];
  store_pixel(out, plane_at(a.planes, sample, c) + (uint)(y * a.planes.row + x), number);
  if (number != 0.0f) set_flag(flags, a.out_flags, a.out_flags_stride, sample, c);
}
