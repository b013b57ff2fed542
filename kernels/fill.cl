// Planes of one number each: what is known of planes that are not computed.
//
// Range: [pixels][longest list][samples], or more along the pixels, in work-groups of
// n x 1 x 1.
// Arguments: out, lists, flags, FillArguments.
#include "storage.h"

__kernel void fill(__global PLANE* restrict out, __global const int* restrict lists,
                   __global uchar* restrict flags, const FillArguments a) {
  const int sample = (int)get_group_id(2);
  const Part part = part_at(lists, a.parts, sample);
  const int entry = (int)get_group_id(1);
  const int p = (int)get_global_id(0);
  if (entry >= part.kernel_count || p >= a.out.height * a.out.width) return;

  const int k = lists[part.kernel_first + entry];
  const float number = as_float(lists[part.channel_first + entry]);
  store_pixel(out, plane_at(a.out, sample, k) + pixel_at(a.out, (uint)p), number);
  if (number != 0.0f && p == 0) set_flag(flags, a.out_flags, a.out_flags_stride, sample, k);
}
