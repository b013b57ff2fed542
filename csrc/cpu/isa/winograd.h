// Winograd's minimal filtering F(m, 3) along one axis, on vectors: m outputs of a three-tap filter
// from m + 2 inputs with m + 2 multiplications. Points 0, 1, -1 (m = 2), 2, -2 (m = 4), 1/2, -1/2
// (m = 6) and infinity. And F(4, 4), with points 0, 1, -1, 2, -2, 1/2 and infinity. (S. Winograd
// 1980; for convolutional networks: A. Lavin and S. Gray, Fast Algorithms for Convolutional Neural
// Networks, CVPR 2016.)
#pragma once

#include "cpu/isa/functions.h"

namespace pdrt::cpu::PDRT_ISA {

// The same vector, in a register: the compiler would otherwise load it again for every use, and
// most loads here lie across two cache lines.
PDRT_INLINE Floats held(Floats x) {
#if defined(__AVX__)
  asm("" : "+v"(x));
#endif
  return x;
}

// One pixel of a row; zero, whatever is there, where its column does not exist.
PDRT_INLINE float existing(const float* row, const std::uint32_t* exists, int column) {
  std::uint32_t word;
  std::memcpy(&word, row + column, sizeof word);
  word &= exists[column];
  float pixel;
  std::memcpy(&pixel, &word, sizeof pixel);
  return pixel;
}

// Of the input, B^T d.
PDRT_INLINE void transform_input(const Floats (&d)[4], Floats (&v)[4]) {
  v[0] = d[0] - d[2];
  v[1] = d[1] + d[2];
  v[2] = d[2] - d[1];
  v[3] = d[1] - d[3];
}

PDRT_INLINE void transform_input(const Floats (&d)[6], Floats (&v)[6]) {
  const Floats four = splat(4), five = splat(5), two = splat(2);
  const Floats even = d[4] - four * d[2], odd = d[3] - four * d[1];
  const Floats near = d[4] - d[2], far = two * (d[3] - d[1]);
  v[0] = four * d[0] - five * d[2] + d[4];
  v[1] = even + odd;
  v[2] = even - odd;
  v[3] = near + far;
  v[4] = near - far;
  v[5] = four * d[1] - five * d[3] + d[5];
}

PDRT_INLINE void transform_input(const Floats (&d)[7], Floats (&v)[7]) {
  const Floats four = splat(4), two = splat(2), half = splat(0.5f);
  Floats far[7], near[6];  // times x^2 - 4, times x^2 - 1
  unrolled<5>([&](int i) PDRT_LAMBDA { far[i + 2] = d[i + 2] - four * d[i]; });
  unrolled<3>([&](int i) PDRT_LAMBDA { near[i + 3] = d[i + 3] - d[i + 1]; });
  // Both, from three inputs on.
  const Floats first = far[4] - far[2], second = far[5] - far[3], third = far[6] - far[4];
  const Floats one = far[4] - half * far[3], next_one = far[5] - half * far[4];
  const Floats twice = two * near[4] - near[3], next_two = near[5] - half * near[4];
  v[0] = second - half * first;
  v[1] = next_one + one;
  v[2] = next_one - one;
  v[3] = next_two + twice;
  v[4] = next_two - twice;
  v[5] = second;
  v[6] = third - half * second;
}

PDRT_INLINE void transform_input(const Floats (&d)[8], Floats (&v)[8]) {
  const Floats ends = splat(5.25f), middle = splat(4.25f), four = splat(4), five = splat(5);
  const Floats two = splat(2), half = splat(0.5f), quarter = splat(0.25f);
  const Floats wide = splat(2.5f), narrow = splat(1.25f);
  const Floats one_even = d[2] + d[6] - middle * d[4], one_odd = d[1] + d[5] - middle * d[3];
  const Floats two_even = d[6] + quarter * d[2] - narrow * d[4];
  const Floats two_odd = half * d[1] - wide * d[3] + two * d[5];
  const Floats half_even = d[6] + four * d[2] - five * d[4];
  const Floats half_odd = two * d[1] - wide * d[3] + half * d[5];
  v[0] = d[0] - d[6] + ends * (d[4] - d[2]);
  v[1] = one_even + one_odd;
  v[2] = one_even - one_odd;
  v[3] = two_even + two_odd;
  v[4] = two_even - two_odd;
  v[5] = half_even + half_odd;
  v[6] = half_even - half_odd;
  v[7] = d[7] - d[1] + ends * (d[3] - d[5]);
}

// Of the products, A^T m.
PDRT_INLINE void transform_sums(const Floats (&m)[4], Floats (&y)[2]) {
  y[0] = m[0] + m[1] + m[2];
  y[1] = m[1] - m[2] - m[3];
}

PDRT_INLINE void transform_sums(const Floats (&m)[6], Floats (&y)[4]) {
  const Floats two = splat(2), four = splat(4), eight = splat(8);
  const Floats a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];
  y[0] = m[0] + a + c;
  y[1] = b + two * d;
  y[2] = a + four * c;
  y[3] = b + eight * d + m[5];
}

PDRT_INLINE void transform_sums(const Floats (&m)[7], Floats (&y)[4]) {
  const Floats a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];
  y[0] = m[0] + a + c + m[5];
  y[1] = b + splat(2) * d + splat(0.5f) * m[5];
  y[2] = a + splat(4) * c + splat(0.25f) * m[5];
  y[3] = b + splat(8) * d + splat(0.125f) * m[5] + m[6];
}

PDRT_INLINE void transform_sums(const Floats (&m)[8], Floats (&y)[6]) {
  const Floats a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];
  const Floats e = m[5] + m[6], f = m[5] - m[6];
  y[0] = m[0] + a + c + e;
  y[1] = b + splat(2) * d + splat(0.5f) * f;
  y[2] = a + splat(4) * c + splat(0.25f) * e;
  y[3] = b + splat(8) * d + splat(0.125f) * f;
  y[4] = a + splat(16) * c + splat(0.0625f) * e;
  y[5] = b + splat(32) * d + splat(0.03125f) * f + m[7];
}

// Of the weights, G g.
PDRT_INLINE void transform_weights(const Floats (&g)[3], Floats (&u)[4]) {
  const Floats half = splat(0.5f), ends = half * (g[0] + g[2]);
  u[0] = g[0];
  u[1] = ends + half * g[1];
  u[2] = ends - half * g[1];
  u[3] = g[2];
}

PDRT_INLINE void transform_weights(const Floats (&g)[3], Floats (&u)[6]) {
  const Floats sixth = splat(-1.0f / 6), ends = sixth * (g[0] + g[2]);
  const Floats outer = splat(1.0f / 24) * g[0] + splat(1.0f / 6) * g[2];
  u[0] = splat(0.25f) * g[0];
  u[1] = ends + sixth * g[1];
  u[2] = ends - sixth * g[1];
  u[3] = outer + splat(1.0f / 12) * g[1];
  u[4] = outer - splat(1.0f / 12) * g[1];
  u[5] = g[2];
}

PDRT_INLINE void transform_weights(const Floats (&g)[3], Floats (&u)[8]) {
  const Floats ninths = splat(-2.0f / 9), ends = ninths * (g[0] + g[2]);
  const Floats twos = splat(1.0f / 90) * g[0] + splat(2.0f / 45) * g[2];
  const Floats halves = splat(32.0f / 45) * g[0] + splat(8.0f / 45) * g[2];
  u[0] = g[0];
  u[1] = ends + ninths * g[1];
  u[2] = ends - ninths * g[1];
  u[3] = twos + splat(1.0f / 45) * g[1];
  u[4] = twos - splat(1.0f / 45) * g[1];
  u[5] = halves + splat(16.0f / 45) * g[1];
  u[6] = halves - splat(16.0f / 45) * g[1];
  u[7] = g[2];
}

// Of kIn x kIn vectors at(i, j), kOut x kOut for put(i, j, result): transform(from, to) along the
// columns, then along the rows.
template <int kIn, int kOut, typename Transform, typename At, typename Put>
PDRT_INLINE void along_both_axes(const Transform& transform, const At& at, const Put& put) {
  Floats columns[kIn][kOut];
  unrolled<kIn>([&](int j) PDRT_LAMBDA {
    Floats column[kIn];
    unrolled<kIn>([&](int i) PDRT_LAMBDA { column[i] = at(i, j); });
    transform(column, columns[j]);
  });
  unrolled<kOut>([&](int i) PDRT_LAMBDA {
    Floats row[kIn], result[kOut];
    unrolled<kIn>([&](int j) PDRT_LAMBDA { row[j] = columns[j][i]; });
    transform(row, result);
    unrolled<kOut>([&](int j) PDRT_LAMBDA { put(i, j, result[j]); });
  });
}

}  // namespace pdrt::cpu::PDRT_ISA
