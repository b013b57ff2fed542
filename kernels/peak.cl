// Nothing but multiply-adds, to know what the device could do: every work-item makes
// iterations * 16 * 8 of them on vectors of LANES floats.
//
// Range: any.
// Arguments: out (a float of each work-item), iterations.
//
// Options:
//   LANES  4, as GPUs run work-items side by side; 16 where a work-item has vectors to itself
#ifndef LANES
#define LANES 4
#endif
#define CONCATENATED(a, b) a##b
#define VECTOR_OF(lanes) CONCATENATED(float, lanes)
#define VECTOR VECTOR_OF(LANES)
#define CHAINS 8  // independent ones, enough to fill any pipeline
#define STEPS 16  // of each chain in a round of the loop

__kernel void peak(__global float* restrict out, const int iterations) {
  VECTOR sums[CHAINS];
#pragma unroll
  for (int i = 0; i < CHAINS; ++i) sums[i] = (VECTOR)((float)(i + (int)get_local_id(0)));
  for (int n = 0; n < iterations; ++n) {
#pragma unroll
    for (int step = 0; step < STEPS; ++step) {
#pragma unroll
      for (int i = 0; i < CHAINS; ++i) sums[i] = mad(sums[i], (VECTOR)(0.999f), (VECTOR)(0.001f));
    }
  }
  VECTOR total = 0.0f;
#pragma unroll
  for (int i = 0; i < CHAINS; ++i) total += sums[i];
  union {
    VECTOR vector;
    float numbers[LANES];
  } all;
  all.vector = total;
  float sum = 0.0f;
#pragma unroll
  for (int i = 0; i < LANES; ++i) sum += all.numbers[i];
  out[get_global_id(0)] = sum;
}
