// Nothing but a copy, to know how fast the device's memory is: every work-item moves 16 bytes.
//
// Range: [numbers / 4].
// Arguments: in, out.
__kernel void bandwidth(__global const float4* restrict in, __global float4* restrict out) {
  out[get_global_id(0)] = in[get_global_id(0)];
}
