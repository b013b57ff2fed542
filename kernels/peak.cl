// Nothing but multiply-adds, to know what the device could do: every work-item makes
// iterations * 16 * 8 of them on float4.
//
// Range: any.
// Arguments: out (a float of each work-item), iterations.
#define CHAINS 8  // independent ones, enough to fill any pipeline
#define STEPS 16  // of each chain in a round of the loop

__kernel void peak(__global float* restrict out, const int iterations) {
  float4 sums[CHAINS];
#pragma unroll
  for (int i = 0; i < CHAINS; ++i) sums[i] = (float4)((float)(i + (int)get_local_id(0)));
  for (int n = 0; n < iterations; ++n) {
#pragma unroll
    for (int step = 0; step < STEPS; ++step) {
#pragma unroll
      for (int i = 0; i < CHAINS; ++i) sums[i] = mad(sums[i], (float4)(0.999f), (float4)(0.001f));
    }
  }
  float4 total = 0.0f;
#pragma unroll
  for (int i = 0; i < CHAINS; ++i) total += sums[i];
  out[get_global_id(0)] = (total.x + total.y) + (total.z + total.w);
}
