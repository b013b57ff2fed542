// Some lanes of a vector: loads and stores at the ends of rows, which touch no memory beside them.
#pragma once

#include "cpu/isa/simd.h"

namespace pdrt::cpu::PDRT_ISA {

#if PDRT_VECTOR_BYTES == 64

using Lanes = __mmask16;

// Lanes [low, high); both may lie outside the vector.
PDRT_INLINE Lanes lanes_between(int low, int high) {
  const __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  return _mm512_mask_cmplt_epi32_mask(_mm512_cmpge_epi32_mask(lane, _mm512_set1_epi32(low)), lane,
                                      _mm512_set1_epi32(high));
}

// `other` in the lanes that are not loaded.
PDRT_INLINE Floats load(const float* from, Lanes lanes, Floats other) {
  return _mm512_mask_loadu_ps(other, lanes, from);
}

PDRT_INLINE void store(float* to, Floats x, Lanes lanes) { _mm512_mask_storeu_ps(to, lanes, x); }

// Zero in the other lanes.
PDRT_INLINE Floats only(Floats x, Lanes lanes) { return _mm512_maskz_mov_ps(lanes, x); }

#else

using Lanes = Words;

PDRT_INLINE Lanes lanes_between(int low, int high) {
#if PDRT_VECTOR_BYTES == 32
  const Words lane = {0, 1, 2, 3, 4, 5, 6, 7};
#else
  const Words lane = {0, 1, 2, 3};
#endif
  return (lane >= low) & (lane < high);
}

PDRT_INLINE Floats load(const float* from, Lanes lanes, Floats other) {
#if PDRT_VECTOR_BYTES == 32
  const Floats x = _mm256_maskload_ps(from, reinterpret_cast<__m256i>(lanes));
  return lanes ? x : other;
#else
  Floats x = other;
  for (int lane = 0; lane < kVector; ++lane) {
    if (lanes[lane] != 0) x[lane] = from[lane];
  }
  return x;
#endif
}

PDRT_INLINE void store(float* to, Floats x, Lanes lanes) {
#if PDRT_VECTOR_BYTES == 32
  _mm256_maskstore_ps(to, reinterpret_cast<__m256i>(lanes), x);
#else
  for (int lane = 0; lane < kVector; ++lane) {
    if (lanes[lane] != 0) to[lane] = x[lane];
  }
#endif
}

PDRT_INLINE Floats only(Floats x, Lanes lanes) { return floats(bits(x) & lanes); }

#endif

}  // namespace pdrt::cpu::PDRT_ISA
