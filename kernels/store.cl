// Planes become an array of any four strides. Planes that are not listed were never computed: their
// number is written for them.
//
// Range: [pixels][channels][samples], or more along the pixels.
// Arguments: in, array, lists, TransferArguments.
// Options: ARRAY_TYPE, of the array's numbers.
#ifndef ARRAY_TYPE
#define ARRAY_TYPE float
#endif
#include "storage.h"

// Whether an ascending list holds a number.
INLINE bool holds(__global const int* list, int count, int number) {
  int first = 0, last = count;  // smaller ones come before `first`, none from `last` on
  while (first < last) {
    const int middle = (first + last) / 2;
    if (list[middle] < number) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  return first < count && list[first] == number;
}

__kernel void store(__global const PLANE* restrict in, __global ARRAY_TYPE* restrict array,
                    __global const int* restrict lists, const TransferArguments a) {
  const int sample = (int)get_global_id(2);
  const int c = (int)get_global_id(1);
  const int p = (int)get_global_id(0);
  if (p >= a.planes.height * a.planes.width) return;

  const int y = p / a.planes.width;
  const int x = p - y * a.planes.width;
  float number;
  const Part part = part_at(lists, a.parts, sample);
  if (a.constants == PDRT_NONE || holds(lists + part.kernel_first, part.kernel_count, c)) {
    number = load_pixel(in, plane_at(a.planes, sample, c) + (uint)(y * a.planes.row + x));
  } else {
    number = as_float(lists[a.constants + (uint)(sample * a.channels + c)]);
  }
  array[a.array + (uint)sample * a.sample_stride + (uint)c * a.channel_stride +
        (uint)y * a.row_stride + (uint)x * a.pixel_stride] = (ARRAY_TYPE)number;
}
