// A fully connected layer: a work-group computes one active kernel, for SAMPLES samples at once, so
// that its row of weights is read once for all of them.
//
// Range: [LANES][longest list][samples / SAMPLES, rounded up], in work-groups of LANES x 1 x 1.
// With SAMPLES > 1 the part of sample 0 is everyone's.
// Arguments: dense_in, dense_out, weights, parameters, stages, lists, FullyConnectedArguments.
//
// Options:
//   LANES    work-items of a work-group: a power of two
//   SAMPLES  samples of a work-group, at most LANES
//   VECTOR   floats that are loaded at once: 1, or 4 where the number of columns and the offsets of
//            weights and inputs are multiples of 4
#ifndef LANES
#define LANES 64
#endif
#ifndef SAMPLES
#define SAMPLES 1
#endif
#ifndef VECTOR
#define VECTOR 1
#endif

#include "stages.h"

#if VECTOR == 4
#define FLOATS float4
#else
#define FLOATS float
#endif

INLINE float sum_of(FLOATS x) {
#if VECTOR == 4
  return (x.x + x.y) + (x.z + x.w);
#else
  return x;
#endif
}

__kernel __attribute__((reqd_work_group_size(LANES, 1, 1))) void fully_connected(
    __global const float* restrict dense_in, __global float* restrict dense_out,
    __global const float* restrict weights, __global const float* restrict parameters,
    __global const StageArguments* restrict stages, __global const int* restrict lists,
    const FullyConnectedArguments a) {
  __local float partial[SAMPLES][LANES];
  const int first_sample = (int)get_group_id(2) * SAMPLES;
  const Part part = part_at(lists, a.parts, SAMPLES == 1 ? first_sample : 0);
  if ((int)get_group_id(1) >= part.kernel_count) return;

  const int k = lists[part.kernel_first + (int)get_group_id(1)];
  const int lane = (int)get_local_id(0);
  __global const FLOATS* row =
      (__global const FLOATS*)(weights + a.weights + (uint)k * (uint)a.columns);
  FLOATS sums[SAMPLES];
  UNROLL
  for (int s = 0; s < SAMPLES; ++s) sums[s] = 0.0f;
  for (int i = lane; i < a.columns / VECTOR; i += LANES) {
    const FLOATS weight = row[i];
    UNROLL
    for (int s = 0; s < SAMPLES; ++s) {
      const uint sample = (uint)min(first_sample + s, a.samples - 1);
      const uint at = a.in + sample * (uint)a.columns;
      sums[s] = mad(weight, ((__global const FLOATS*)(dense_in + at))[i], sums[s]);
    }
  }

  UNROLL
  for (int s = 0; s < SAMPLES; ++s) partial[s][lane] = sum_of(sums[s]);
  for (int half_size = LANES / 2; half_size > 0; half_size /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (lane < half_size) {
      UNROLL
      for (int s = 0; s < SAMPLES; ++s) partial[s][lane] += partial[s][lane + half_size];
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);

  const int sample = first_sample + lane;  // a work-item finishes one
  if (lane >= SAMPLES || sample >= a.samples) return;
  const float bias = a.bias == PDRT_NONE ? 0.0f : parameters[a.bias + (uint)k];
  float held[1][1] = {{partial[lane][0] + bias}};
  const Operands operands = {0, dense_in, parameters};
  const uint pixel = 0;
  run_stages(a.epilogue, stages, operands, sample, &k, &pixel, held);
  dense_out[a.out + (uint)(sample * a.kernels + k)] = held[0][0];
}
