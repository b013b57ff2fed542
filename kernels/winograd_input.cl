// Winograd, first: planes to positions. A work-item transforms the patch of one tile of one
// channel. Neighbours have neighbouring tiles, so that what they write lies side by side.
//
// Range: [tiles][longest list of channels][samples * groups], or more along the tiles, in
// work-groups of n x 1 x 1.
// Arguments: in, dense_out, lists, WinogradArguments.
// Options: TILE, 2 or 4.
#include "winograd.h"

__kernel void winograd_input(__global const PLANE* restrict in, __global FACTOR* restrict dense_out,
                             __global const int* restrict lists, const WinogradArguments a) {
  const int item = (int)get_global_id(0);
  const int tile = min(item, a.tiles - 1);
  const int z = (int)get_group_id(2);
  const Part part = part_at(lists, a.parts, z);
  if ((int)get_group_id(1) >= part.channel_count) return;

  const int sample = z / a.groups;
  const int c = (z - sample * a.groups) * a.group_channels +
                lists[part.channel_first + (int)get_group_id(1)];
  const uint plane = plane_at(a.in, sample, c);
  const int tile_y = tile / a.tiles_x;
  const int first_y = tile_y * TILE - a.pad_top;
  const int first_x = (tile - tile_y * a.tiles_x) * TILE - a.pad_left;

  float columns[SIDE][SIDE];  // transformed along the columns
  UNROLL
  for (int j = 0; j < SIDE; ++j) {
    const int x = first_x + j;
    float column[SIDE], values[SIDE];
    UNROLL
    for (int i = 0; i < SIDE; ++i) {
      column[i] = pixel_or_zero(in, a.in, plane, first_y + i, x);
    }
    transform_input(column, values);
    UNROLL
    for (int i = 0; i < SIDE; ++i) columns[i][j] = values[i];
  }
  if (tile != item) return;
  const uint channels = (uint)(a.groups * a.group_channels);
  __global FACTOR* to =
      dense_out + a.inputs + (uint)tile + ((uint)sample * POSITIONS * channels + (uint)c) * a.row;
  UNROLL
  for (int i = 0; i < SIDE; ++i) {
    float values[SIDE];
    transform_input(columns[i], values);
    UNROLL
    for (int j = 0; j < SIDE; ++j) to[(uint)(i * SIDE + j) * channels * a.row] = (FACTOR)values[j];
  }
}
