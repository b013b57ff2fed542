// Winograd, third: sums become pixels, bias and stages included. A work-item finishes one tile of
// one kernel.
//
// Range: [tiles][longest list of kernels][samples * groups], or more along the tiles, in
// work-groups of n x 1 x 1.
// Arguments: in, out, dense_in, dense_out, parameters, stages, lists, flags, WinogradArguments. Of
// `in` only planes that are operands are read.
//
// Options:
//   TILE    2 or 4
//   POOLED  work-items of a work-group, a power of two, along the tiles: writes shares of the planes'
//           means, too
#include "winograd.h"

#define PIXELS_HELD (TILE * TILE)
#include "stages.h"

__kernel void winograd_output(__global const PLANE* restrict in, __global PLANE* restrict out,
                              __global const float* restrict dense_in,
                              __global float* restrict dense_out,
                              __global const float* restrict parameters,
                              __global const StageArguments* restrict stages,
                              __global const int* restrict lists, __global uchar* restrict flags,
                              const WinogradArguments a) {
  const int item = (int)get_global_id(0);
  const int z = (int)get_group_id(2);
  const Part part = part_at(lists, a.parts, z);
  if ((int)get_group_id(1) >= part.kernel_count) return;
  const int tile = min(item, a.tiles - 1);

  const int sample = z / a.groups;
  const int k = lists[part.kernel_first + (int)get_group_id(1)];
  const uint kernels = (uint)(a.groups * a.group_kernels);
  __global const float* from =
      dense_in + a.sums + (uint)tile + ((uint)sample * POSITIONS * kernels + (uint)k) * a.row;
  float columns[TILE][SIDE];  // transformed along the columns
  UNROLL
  for (int j = 0; j < SIDE; ++j) {
    float column[SIDE], values[TILE];
    UNROLL
    for (int i = 0; i < SIDE; ++i) column[i] = from[(uint)(i * SIDE + j) * kernels * a.row];
    transform_sums(column, values);
    UNROLL
    for (int i = 0; i < TILE; ++i) columns[i][j] = values[i];
  }

  // Past the map's end the last pixel stands in, and is not stored.
  const float bias = a.bias == PDRT_NONE ? 0.0f : parameters[a.bias + (uint)k];
  const int tile_y = tile / a.tiles_x;
  const int first_y = tile_y * TILE;
  const int first_x = (tile - tile_y * a.tiles_x) * TILE;
  float held[1][PIXELS_HELD];
  uint pixels[PIXELS_HELD];
  UNROLL
  for (int i = 0; i < TILE; ++i) {
    float values[TILE];
    transform_sums(columns[i], values);
    UNROLL
    for (int j = 0; j < TILE; ++j) {
      const int y = min(first_y + i, a.out.height - 1), x = min(first_x + j, a.out.width - 1);
      pixels[i * TILE + j] = (uint)(y * a.out.row + x);
      held[0][i * TILE + j] = values[j] + bias;
    }
  }
  const Operands operands = {in, dense_in, parameters};
  run_stages(a.epilogue, stages, operands, sample, &k, pixels, held);

  const uint plane = plane_at(a.out, sample, k);
  bool alive = false;
  float sum = 0.0f;
  UNROLL
  for (int i = 0; i < PIXELS_HELD; ++i) {
    const bool inside = first_y + i / TILE < a.out.height && first_x + i % TILE < a.out.width;
    if (inside && item < a.tiles) {
      store_pixel(out, plane + pixels[i], held[0][i]);
      alive |= stored_nonzero(held[0][i]);
      sum += held[0][i];
    }
  }
  if (alive) set_flag(flags, a.out_flags, a.out_flags_stride, sample, k);

#ifdef POOLED
  __local float partial[POOLED];
  const int lane = (int)get_local_id(0);
  partial[lane] = sum;
  for (int rest = POOLED / 2; rest > 0; rest /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (lane < rest) partial[lane] += partial[lane + rest];
  }
  if (lane == 0)
    dense_out[share_at(a.pooled, sample * (int)kernels + k)] = partial[0] * a.pooled.per_pixel;
#endif
}
