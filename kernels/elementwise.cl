// Stages on planes: out = epilogue(in), or the epilogue of zeros. `in` may be `out`.
//
// Range: [pixels / 4, rounded up to whole work-groups][longest list][samples], in work-groups of
// n x 1 x 1. A work-item takes
// pixels as far apart as its work-group is wide, so that neighbours take neighbours.
// Arguments: in, out, dense_in, parameters, stages, lists, flags, ElementwiseArguments.
#define PIXELS_HELD 4
#include "stages.h"

__kernel void elementwise(__global const PLANE* in, __global PLANE* out,
                          __global const float* restrict dense_in,
                          __global const float* restrict parameters,
                          __global const StageArguments* restrict stages,
                          __global const int* restrict lists, __global uchar* restrict flags,
                          const ElementwiseArguments a) {
  const int sample = (int)get_group_id(2);
  const Part part = part_at(lists, a.parts, sample);
  const int first = (int)(get_group_id(0) * get_local_size(0) * PIXELS_HELD + get_local_id(0));
  const int count = a.out.height * a.out.width;
  if ((int)get_group_id(1) >= part.kernel_count) return;

  const int k = lists[part.kernel_first + (int)get_group_id(1)];
  uint pixels[PIXELS_HELD];
  float held[1][PIXELS_HELD];
  UNROLL
  for (int j = 0; j < PIXELS_HELD; ++j) {
    const uint p = (uint)min(first + j * (int)get_local_size(0), count - 1);
    pixels[j] = pixel_at(a.out, p);
    held[0][j] = a.zero ? 0.0f : load_pixel(in, plane_at(a.in, sample, k) + pixel_at(a.in, p));
  }
  const Operands operands = {in, dense_in, parameters};
  run_stages(a.epilogue, stages, operands, sample, &k, pixels, held);

  bool alive = false;
  UNROLL
  for (int j = 0; j < PIXELS_HELD; ++j) {
    if (first + j * (int)get_local_size(0) >= count) continue;
    store_pixel(out, plane_at(a.out, sample, k) + pixels[j], held[0][j]);
    alive |= stored_nonzero(held[0][j]);
  }
  if (alive) set_flag(flags, a.out_flags, a.out_flags_stride, sample, k);
}
