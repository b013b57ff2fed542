// Depthwise convolution: a work-item computes STRIP pixels of a row of one kernel.
//
// Range: [rows * strips in a row][longest list][samples], or more along the strips, in work-groups
// of n x 1 x 1.
// Arguments: in, out, dense_in, weights, parameters, stages, lists, flags, DepthwiseArguments.
//
// Options:
//   FILTER_H, FILTER_W  the filter; 0: as the arguments say
//   STRIDE              stride_w where dilation_w is 1, so that a pixel which several outputs of a
//                       strip read is loaded once; 0: as the arguments say
//   STRIP               pixels of a work-item
#ifndef FILTER_H
#define FILTER_H 3
#endif
#ifndef FILTER_W
#define FILTER_W 3
#endif
#ifndef STRIDE
#define STRIDE 0
#endif
#ifndef STRIP
#define STRIP 4
#endif

#define PIXELS_HELD STRIP
#include "stages.h"

// Adds one row of the filter: `taps` of it on row y of the input, whose column `x` the first output
// reads first.
INLINE void add_row(__global const PLANE* in, Planes map, uint plane, int y, int x, int stride,
                    int dilation, __global const float* taps, int tap_count, float* sums) {
#if FILTER_W && STRIDE
  float pixels[(STRIP - 1) * STRIDE + FILTER_W];
  UNROLL
  for (int i = 0; i < (STRIP - 1) * STRIDE + FILTER_W; ++i)
    pixels[i] = pixel_or_zero(in, map, plane, y, x + i);
  UNROLL
  for (int t = 0; t < FILTER_W; ++t) {
    UNROLL
    for (int j = 0; j < STRIP; ++j) sums[j] = mad(taps[t], pixels[j * STRIDE + t], sums[j]);
  }
#else
  for (int t = 0; t < tap_count; ++t) {
    UNROLL
    for (int j = 0; j < STRIP; ++j) {
      const float pixel = pixel_or_zero(in, map, plane, y, x + j * stride + t * dilation);
      sums[j] = mad(taps[t], pixel, sums[j]);
    }
  }
#endif
}

__kernel void depthwise(__global const PLANE* restrict in, __global PLANE* restrict out,
                        __global const float* restrict dense_in,
                        __global const float* restrict weights,
                        __global const float* restrict parameters,
                        __global const StageArguments* restrict stages,
                        __global const int* restrict lists, __global uchar* restrict flags,
                        const DepthwiseArguments a) {
  const int sample = (int)get_group_id(2);
  const Part part = part_at(lists, a.parts, sample);
  const int strips = (a.out.width + STRIP - 1) / STRIP;
  const int item = (int)get_global_id(0);
  const int strip = min(item, strips * a.out.height - 1);
  const int y = strip / strips;
  const int x = (strip - y * strips) * STRIP;
  if ((int)get_group_id(1) >= part.kernel_count) return;

  const int k = lists[part.kernel_first + (int)get_group_id(1)];
  const int filter_h = FILTER_H ? FILTER_H : a.filter_h;
  const int filter_w = FILTER_W ? FILTER_W : a.filter_w;
  const uint plane = plane_at(a.in, sample, k / a.multiplier);
  __global const float* taps = weights + a.weights + (uint)(k * filter_h * filter_w);

  float held[1][STRIP];
  UNROLL
  for (int j = 0; j < STRIP; ++j)
    held[0][j] = a.bias == PDRT_NONE ? 0.0f : parameters[a.bias + (uint)k];
  UNROLL
  for (int i = 0; i < filter_h; ++i) {
    add_row(in, a.in, plane, y * a.stride_h + i * a.dilation_h - a.pad_top,
            x * a.stride_w - a.pad_left, a.stride_w, a.dilation_w, taps + i * filter_w, filter_w,
            held[0]);
  }

  uint pixels[STRIP];
  UNROLL
  for (int j = 0; j < STRIP; ++j) pixels[j] = (uint)(y * a.out.row + min(x + j, a.out.width - 1));
  const Operands operands = {in, dense_in, parameters};
  run_stages(a.epilogue, stages, operands, sample, &k, pixels, held);

  bool alive = false;
  UNROLL
  for (int j = 0; j < STRIP; ++j) {
    if (strip != item || x + j >= a.out.width) continue;
    store_pixel(out, plane_at(a.out, sample, k) + pixels[j], held[0][j]);
    alive |= stored_nonzero(held[0][j]);
  }
  if (alive) set_flag(flags, a.out_flags, a.out_flags_stride, sample, k);
}
