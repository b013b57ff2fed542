// Winograd's minimal filtering F(TILE, 3) along one axis: TILE outputs of a filter of three taps
// from TILE + 2 inputs with TILE + 2 products. That is, the outputs' and the filter's polynomials
// are multiplied by their values at some points. TILE 2 takes 0, 1, -1 and infinity, TILE 4 takes
// 0, 3/4, -3/4, 3/2, -3/2 and infinity, with which rounding errors are half of those with
// 1 and 2, and all numbers but those for the weights are exact.
#ifndef PDRT_KERNELS_WINOGRAD_H
#define PDRT_KERNELS_WINOGRAD_H

#include "storage.h"

#ifndef TILE
#define TILE 4
#endif

#define SIDE (TILE + 2)
#define POSITIONS (SIDE * SIDE)

#define NEAR 0.75f
#define FAR 1.5f
#define NEAR_2 (NEAR * NEAR)
#define FAR_2 (FAR * FAR)

// The inputs' values.
INLINE void transform_input(const float* d, float* v) {
#if TILE == 2
  v[0] = d[2] - d[0];
  v[1] = d[2] + d[1];
  v[2] = d[2] - d[1];
  v[3] = d[3] - d[1];
#else
  const float even_near = mad(-FAR_2, d[2], d[4]), odd_near = NEAR * mad(-FAR_2, d[1], d[3]);
  const float even_far = mad(-NEAR_2, d[2], d[4]), odd_far = FAR * mad(-NEAR_2, d[1], d[3]);
  v[0] = mad(NEAR_2 * FAR_2, d[0], mad(-(NEAR_2 + FAR_2), d[2], d[4]));
  v[1] = even_near + odd_near;
  v[2] = even_near - odd_near;
  v[3] = even_far + odd_far;
  v[4] = even_far - odd_far;
  v[5] = mad(NEAR_2 * FAR_2, d[1], mad(-(NEAR_2 + FAR_2), d[3], d[5]));
#endif
}

// The filter's values, each divided by the product of the differences between its point and the
// others.
INLINE void transform_weights(const float* g, float* u) {
#if TILE == 2
  const float even = 0.5f * (g[0] + g[2]), odd = 0.5f * g[1];
  u[0] = -g[0];
  u[1] = even + odd;
  u[2] = even - odd;
  u[3] = g[2];
#else
  const float of_near = 1.0f / (2.0f * NEAR_2 * (NEAR_2 - FAR_2));
  const float of_far = 1.0f / (2.0f * FAR_2 * (FAR_2 - NEAR_2));
  const float even_near = of_near * mad(NEAR_2, g[2], g[0]), odd_near = of_near * NEAR * g[1];
  const float even_far = of_far * mad(FAR_2, g[2], g[0]), odd_far = of_far * FAR * g[1];
  u[0] = g[0] / (NEAR_2 * FAR_2);
  u[1] = even_near + odd_near;
  u[2] = even_near - odd_near;
  u[3] = even_far + odd_far;
  u[4] = even_far - odd_far;
  u[5] = g[2];
#endif
}

// From sums of products to outputs.
INLINE void transform_sums(const float* m, float* y) {
#if TILE == 2
  y[0] = m[0] + m[1] + m[2];
  y[1] = m[1] - m[2] + m[3];
#else
  const float even_near = m[1] + m[2], odd_near = NEAR * (m[1] - m[2]);
  const float even_far = m[3] + m[4], odd_far = FAR * (m[3] - m[4]);
  y[0] = m[0] + even_near + even_far;
  y[1] = odd_near + odd_far;
  y[2] = mad(NEAR_2, even_near, FAR_2 * even_far);
  y[3] = mad(NEAR_2, odd_near, mad(FAR_2, odd_far, m[5]));
#endif
}

#endif
