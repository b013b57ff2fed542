// Maximum and average pooling: a work-item computes one pixel.
//
// Range: [pixels][longest list][samples], or more along the pixels, in work-groups of
// n x 1 x 1.
// Arguments: in, out, dense_in, parameters, stages, lists, flags, PoolArguments.
#include "stages.h"

// Positions of a window along an axis that lie in [low, high); 1 where there are none, so that what
// has nothing to average is 0.
INLINE int divisor(int start, int length, int dilation, int low, int high) {
  int inside = 0;
  for (int i = 0; i < length; ++i)
    inside += start + i * dilation >= low && start + i * dilation < high;
  return max(inside, 1);
}

__kernel void pool(__global const PLANE* restrict in, __global PLANE* restrict out,
                   __global const float* restrict dense_in,
                   __global const float* restrict parameters,
                   __global const StageArguments* restrict stages,
                   __global const int* restrict lists, __global uchar* restrict flags,
                   const PoolArguments a) {
  const int sample = (int)get_group_id(2);
  const Part part = part_at(lists, a.parts, sample);
  const int item = (int)get_global_id(0);
  const int p = min(item, a.out.height * a.out.width - 1);
  const int y = p / a.out.width;
  const int x = p - y * a.out.width;
  if ((int)get_group_id(1) >= part.kernel_count) return;

  const int k = lists[part.kernel_first + (int)get_group_id(1)];
  const uint plane = plane_at(a.in, sample, k);
  const int first_y = y * a.stride_h - a.pad_top;
  const int first_x = x * a.stride_w - a.pad_left;
  float result = a.maximum ? -INFINITY : 0.0f;
  for (int i = 0; i < a.kernel_h; ++i) {
    const int from_y = first_y + i * a.dilation_h;
    for (int j = 0; j < a.kernel_w; ++j) {
      const int from_x = first_x + j * a.dilation_w;
      const bool inside =
          from_y >= 0 && from_y < a.in.height && from_x >= 0 && from_x < a.in.width;
      const float pixel = pixel_or_zero(in, a.in, plane, from_y, from_x);
      if (a.maximum) {
        result = inside && (pixel > result || pixel != pixel) ? pixel : result;
      } else {
        result += pixel;
      }
    }
  }
  if (!a.maximum) {
    const int top = a.count_include_pad ? a.pad_top : 0;
    const int bottom = a.count_include_pad ? a.pad_bottom : 0;
    const int left = a.count_include_pad ? a.pad_left : 0;
    const int right = a.count_include_pad ? a.pad_right : 0;
    result /= (float)(divisor(first_y, a.kernel_h, a.dilation_h, -top, a.in.height + bottom) *
                      divisor(first_x, a.kernel_w, a.dilation_w, -left, a.in.width + right));
  }

  const uint pixel = (uint)(y * a.out.row + x);
  float held[1][1] = {{result}};
  const Operands operands = {in, dense_in, parameters};
  run_stages(a.epilogue, stages, operands, sample, &k, &pixel, held);
  if (p != item) return;
  store_pixel(out, plane_at(a.out, sample, k) + pixel, held[0][0]);
  if (held[0][0] != 0.0f) set_flag(flags, a.out_flags, a.out_flags_stride, sample, k);
}
