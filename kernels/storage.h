// How planes are stored: as floats, or as halves with -DPDRT_HALF_PLANES. Arithmetic is float
// either way, so halves need no extension of the device. With -DPDRT_HALF_ARITHMETIC beside it the
// *factors* of a program's products are halves, too, and it needs cl_khr_fp16: see tile.h.
#ifndef PDRT_KERNELS_STORAGE_H
#define PDRT_KERNELS_STORAGE_H

#include "arguments.h"

#ifdef PDRT_HALF_PLANES
#define PLANE half
#else
#define PLANE float
#endif

#ifdef PDRT_HALF_ARITHMETIC
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
#define FACTOR half
#else
#define FACTOR float
#endif

// Functions get pointers to what their callers hold in registers, where it stays only if they
// become part of these. (Simulators may want to see calls.)
#ifndef INLINE
#define INLINE static inline __attribute__((always_inline))
#endif
#define UNROLL _Pragma("unroll")

INLINE float load_pixel(__global const PLANE* planes, uint at) {
#ifdef PDRT_HALF_PLANES
  return vload_half(at, planes);
#else
  return planes[at];
#endif
}

// The same for products: a half is not widened where they take halves.
INLINE FACTOR load_factor(__global const PLANE* planes, uint at) {
#ifdef PDRT_HALF_ARITHMETIC
  return planes[at];
#else
  return load_pixel(planes, at);
#endif
}

INLINE void store_pixel(__global PLANE* planes, uint at, float x) {
#ifdef PDRT_HALF_PLANES
  vstore_half(x, at, planes);
#else
  planes[at] = x;
#endif
}

// Whether that is a number other than zero, as stored: halves up to 2^-25 are rounded to zero.
INLINE bool stored_nonzero(float x) {
#ifdef PDRT_HALF_PLANES
  return !(fabs(x) <= 0x1p-25f);  // NaN is other than zero
#else
  return x != 0.0f;
#endif
}

// Where pixel (0, 0) of a plane is.
INLINE uint plane_at(Planes planes, int sample, int channel) {
  return planes.base + (uint)sample * planes.sample_stride + (uint)channel * planes.stride;
}

// Where pixel number `p` of a map is, counted row by row, from pixel (0, 0) on. Maps without a gap
// between their rows need no division.
INLINE uint pixel_at(Planes planes, uint p) {
  const uint width = (uint)planes.width;
  return planes.row == planes.width ? p : p + p / width * ((uint)planes.row - width);
}

// The active kernels and channels of an entry of an array of parts.
INLINE Part part_at(__global const int* lists, uint parts, int entry) {
  __global const int* at = lists + parts + 4 * entry;
  const Part part = {at[0], at[1], at[2], at[3]};
  return part;
}

// Pixel (y, x) of the plane that begins at `plane`; 0 beside the map. All work-items load something
// that exists: such loads are on their way together, and Intel's compiler makes vectors of loads
// with a condition whose addresses it gets wrong where the first is negative.
INLINE float pixel_or_zero(__global const PLANE* planes, Planes map, uint plane, int y, int x) {
  const bool inside = y >= 0 && y < map.height && x >= 0 && x < map.width;
  const float pixel = load_pixel(planes, plane + (inside ? (uint)(y * map.row + x) : 0));
  return inside ? pixel : 0.0f;
}

// Work-items past a map's end do what its last pixels need, and store nothing: only whole
// work-groups return early. Behind a return that some take, Intel's compiler loads in vain what is
// the same for all of a work-group, from wherever that would be.

// Where this work-group's share of the mean of a plane goes, counting the planes of all samples.
INLINE uint share_at(PooledMeans pooled, int plane) {
  return pooled.shares + (uint)plane * (uint)get_num_groups(0) + (uint)get_group_id(0);
}

// Says that a plane holds a number other than zero. Work-items that say so at once all store the
// same 1.
INLINE void set_flag(__global uchar* flags, uint first, uint sample_stride, int sample, int k) {
  if (first != PDRT_NONE) flags[first + (uint)sample * sample_stride + (uint)k] = 1;
}

#endif
