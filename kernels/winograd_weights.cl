// Weights of a 3x3 convolution for Winograd's algorithm, made once per session.
//
// Range: [kernels][channels of a group].
// Arguments: weights, transformed weights, WinogradWeightsArguments.
// Options: TILE, 2 or 4.
#include "winograd.h"

__kernel void winograd_weights(__global const float* restrict weights,
                               __global FACTOR* restrict transformed,
                               const WinogradWeightsArguments a) {
  const int k = (int)get_global_id(0);
  const int c = (int)get_global_id(1);
  if (k >= a.kernels) return;

  __global const float* taps = weights + a.in + (uint)(k * a.channels + c) * 9;
  float columns[SIDE][3];  // transformed along the columns
  UNROLL
  for (int j = 0; j < 3; ++j) {
    const float column[3] = {taps[j], taps[3 + j], taps[6 + j]};
    float values[SIDE];
    transform_weights(column, values);
    UNROLL
    for (int i = 0; i < SIDE; ++i) columns[i][j] = values[i];
  }
  __global FACTOR* to = transformed + a.out + (uint)c * a.row + (uint)k;
  UNROLL
  for (int i = 0; i < SIDE; ++i) {
    float values[SIDE];
    transform_weights(columns[i], values);
    UNROLL
    for (int j = 0; j < SIDE; ++j)
      to[(uint)((i * SIDE + j) * a.channels) * a.row] = (FACTOR)values[j];
  }
}
