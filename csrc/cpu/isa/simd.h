// One vector of floats on the instruction set this file is built for, and the few things vector
// extensions cannot say.
//
// Every source in this folder is compiled once per instruction set, with PDRT_ISA (the namespace)
// and PDRT_VECTOR_BYTES given by the build. The linker must never be able to take a function of one
// build for another's, so everything here is static or lives in the namespace of its instruction
// set, and no header of the C++ library with code in it is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "cpu/engine.h"

#if defined(__AVX__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

#define PDRT_INLINE static inline __attribute__((always_inline))

#define PDRT_LAMBDA __attribute__((always_inline))

namespace pdrt::cpu::PDRT_ISA {

// function(0) ... function(kCount - 1), written out before the optimiser starts: arrays of vectors
// that are indexed only like this become registers, which those indexed by a loop do not in time.
template <int kCount, int kFrom = 0, typename Function>
PDRT_INLINE void unrolled(const Function& function) {
  if constexpr (kFrom < kCount) {
    function(kFrom);
    unrolled<kCount, kFrom + 1>(function);
  }
}

using Floats = float __attribute__((vector_size(PDRT_VECTOR_BYTES)));
using Words = std::int32_t __attribute__((vector_size(PDRT_VECTOR_BYTES)));

// Floats in a vector, and vectors in the group of pixels that every loop is made of.
constexpr int kVector = PDRT_VECTOR_BYTES / 4;
constexpr int kGroup = kLanes / kVector;

PDRT_INLINE Floats load(const float* from) {
  using Unaligned = float __attribute__((vector_size(PDRT_VECTOR_BYTES), aligned(4), may_alias));
  return *reinterpret_cast<const Unaligned*>(from);
}

PDRT_INLINE Words load(const std::uint32_t* from) {
  using Unaligned =
      std::int32_t __attribute__((vector_size(PDRT_VECTOR_BYTES), aligned(4), may_alias));
  return *reinterpret_cast<const Unaligned*>(from);
}

PDRT_INLINE void store(float* to, Floats x) {
  using Unaligned = float __attribute__((vector_size(PDRT_VECTOR_BYTES), aligned(4), may_alias));
  *reinterpret_cast<Unaligned*>(to) = x;
}

// Stores a vector where a vector may begin that is read much later, where the instruction set can
// without reading the memory it goes to first. Before others may read it, `stored_past_caches`.
PDRT_INLINE void store_past_caches(float* to, Floats x) {
#if PDRT_VECTOR_BYTES == 64
  _mm512_stream_ps(to, x);
#elif PDRT_VECTOR_BYTES == 32
  _mm256_stream_ps(to, x);
#else
  store(to, x);
#endif
}

// Copies what is read much later, where the instruction set can without reading the memory it goes
// to first. Before others may read it, `stored_past_caches`.
PDRT_INLINE void copy_past_caches(float* to, const float* from, int count) {
  int done = 0;
#if defined(__AVX__)
  constexpr std::uintptr_t kLine = 64;
  if (reinterpret_cast<std::uintptr_t>(to) % kLine == 0) {
    for (; done + kLanes <= count; done += kLanes) {
      for (int at = done; at < done + kLanes; at += kVector)
        store_past_caches(to + at, load(from + at));
    }
  }
#endif
  std::memcpy(to + done, from + done, static_cast<std::size_t>(count - done) * sizeof(float));
}
PDRT_INLINE void stored_past_caches() {
#if defined(__AVX__)
  _mm_sfence();
#endif
}

PDRT_INLINE Floats splat(float x) {
  // Not Floats{} + x, which would turn -0 into +0.
#if PDRT_VECTOR_BYTES == 64
  return Floats{x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x};
#elif PDRT_VECTOR_BYTES == 32
  return Floats{x, x, x, x, x, x, x, x};
#else
  return Floats{x, x, x, x};
#endif
}

PDRT_INLINE Words bits(Floats x) { return reinterpret_cast<Words>(x); }
PDRT_INLINE Floats floats(Words x) { return reinterpret_cast<Floats>(x); }

PDRT_INLINE Floats magnitude(Floats x) { return floats(bits(x) & 0x7fffffff); }

// The larger and the smaller; NaN where either is NaN. An x86 maximum is its second operand where
// either is NaN, so that one of the two orders keeps it, and NaN with any bits added stays NaN.
PDRT_INLINE Floats larger(Floats x, Floats y) {
#if PDRT_VECTOR_BYTES == 64
  return floats(bits(_mm512_maskz_max_ps(0xffff, x, y)) | bits(_mm512_maskz_max_ps(0xffff, y, x)));
#elif PDRT_VECTOR_BYTES == 32
  return floats(bits(_mm256_max_ps(x, y)) | bits(_mm256_max_ps(y, x)));
#elif defined(__SSE2__)
  return floats(bits(_mm_max_ps(x, y)) | bits(_mm_max_ps(y, x)));
#elif defined(__ARM_NEON)
  return vmaxq_f32(x, y);
#else
  return ((y > x) | (y != y)) ? y : x;
#endif
}

PDRT_INLINE Floats smaller(Floats x, Floats y) {
#if PDRT_VECTOR_BYTES == 64
  return floats(bits(_mm512_maskz_min_ps(0xffff, x, y)) | bits(_mm512_maskz_min_ps(0xffff, y, x)));
#elif PDRT_VECTOR_BYTES == 32
  return floats(bits(_mm256_min_ps(x, y)) | bits(_mm256_min_ps(y, x)));
#elif defined(__SSE2__)
  return floats(bits(_mm_min_ps(x, y)) | bits(_mm_min_ps(y, x)));
#elif defined(__ARM_NEON)
  return vminq_f32(x, y);
#else
  return ((y < x) | (y != y)) ? y : x;
#endif
}

// x, but at least low, and x, but at most high; NaN stays, and so does -0 beside 0. One instruction
// where compilers make two of a comparison.
PDRT_INLINE Floats at_least(Floats x, Floats low) {
#if PDRT_VECTOR_BYTES == 64
  return _mm512_maskz_max_ps(0xffff, low, x);  // see square_root
#elif PDRT_VECTOR_BYTES == 32
  return _mm256_max_ps(low, x);
#elif defined(__SSE2__)
  return _mm_max_ps(low, x);
#else
  return x < low ? low : x;
#endif
}
PDRT_INLINE Floats at_most(Floats x, Floats high) {
#if PDRT_VECTOR_BYTES == 64
  return _mm512_maskz_min_ps(0xffff, high, x);
#elif PDRT_VECTOR_BYTES == 32
  return _mm256_min_ps(high, x);
#elif defined(__SSE2__)
  return _mm_min_ps(high, x);
#else
  return x > high ? high : x;
#endif
}

// Whether any bit is set.
PDRT_INLINE bool any(Words x) {
#if PDRT_VECTOR_BYTES == 64
  return _mm512_test_epi32_mask(reinterpret_cast<__m512i>(x), reinterpret_cast<__m512i>(x)) != 0;
#elif PDRT_VECTOR_BYTES == 32
  return _mm256_testz_si256(reinterpret_cast<__m256i>(x), reinterpret_cast<__m256i>(x)) == 0;
#else
  using Halves = std::int64_t __attribute__((vector_size(16)));
  const Halves halves = reinterpret_cast<Halves>(x);
  return (halves[0] | halves[1]) != 0;
#endif
}

PDRT_INLINE Floats square_root(Floats x) {
#if PDRT_VECTOR_BYTES == 64
  return _mm512_maskz_sqrt_ps(0xffff,
                              x);  // the plain form trips a false "uninitialized" warning of GCC 12
#elif PDRT_VECTOR_BYTES == 32
  return _mm256_sqrt_ps(x);
#elif defined(__SSE2__)
  return _mm_sqrt_ps(x);
#elif defined(__aarch64__)
  return vsqrtq_f32(x);
#else
  Floats root;
  for (int i = 0; i < kVector; ++i) root[i] = __builtin_sqrtf(x[i]);
  return root;
#endif
}

// The same pointer, as one the compiler knows nothing about: it then adds constants to it in the
// addresses of loads, where it would otherwise keep every sum of a pointer and an offset in memory.
template <typename T>
PDRT_INLINE T opaque(T x) {
  asm("" : "+r"(x));
  return x;
}

// Says that x is needed until here. A multiply-add may then not overwrite x in place of the sum,
// which would move sums from register to register in the unrolled loops.
PDRT_INLINE void keep(Floats x) {
#if defined(__AVX__)
  asm volatile("" : : "v"(x));
#else
  static_cast<void>(x);
#endif
}

// x without its first lane, and behind it the first lane of y.
PDRT_INLINE Floats shifted(Floats x, Floats y) {
#if PDRT_VECTOR_BYTES == 64
  // Unlike a permutation, this needs no register of lane numbers.
  return floats(reinterpret_cast<Words>(_mm512_maskz_alignr_epi32(
      0xffff, reinterpret_cast<__m512i>(y), reinterpret_cast<__m512i>(x), 1)));
#elif PDRT_VECTOR_BYTES == 32
  return __builtin_shufflevector(x, y, 1, 2, 3, 4, 5, 6, 7, 8);
#else
  return __builtin_shufflevector(x, y, 1, 2, 3, 4);
#endif
}

// The last lane of y, and behind it x without its last lane.
PDRT_INLINE Floats preceded(Floats x, Floats y) {
#if PDRT_VECTOR_BYTES == 64
  return floats(reinterpret_cast<Words>(_mm512_maskz_alignr_epi32(
      0xffff, reinterpret_cast<__m512i>(x), reinterpret_cast<__m512i>(y), 15)));
#elif PDRT_VECTOR_BYTES == 32
  return __builtin_shufflevector(y, x, 7, 8, 9, 10, 11, 12, 13, 14);
#else
  return __builtin_shufflevector(y, x, 3, 4, 5, 6);
#endif
}

// The same number, kept in a register where there are enough of them: the compiler would rather
// load it again for each use, where loads are what is short.
PDRT_INLINE Floats in_register(Floats x) {
#if PDRT_VECTOR_BYTES == 64
  asm("" : "+v"(x));
#endif
  return x;
}

// Every second float of the 2 * kVector floats in x, y, from the first.
PDRT_INLINE Floats evens(Floats x, Floats y) {
#if PDRT_VECTOR_BYTES == 64
  return __builtin_shufflevector(x, y, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
#elif PDRT_VECTOR_BYTES == 32
  return __builtin_shufflevector(x, y, 0, 2, 4, 6, 8, 10, 12, 14);
#else
  return __builtin_shufflevector(x, y, 0, 2, 4, 6);
#endif
}

// And from the second.
PDRT_INLINE Floats odds(Floats x, Floats y) {
#if PDRT_VECTOR_BYTES == 64
  return __builtin_shufflevector(x, y, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
#elif PDRT_VECTOR_BYTES == 32
  return __builtin_shufflevector(x, y, 1, 3, 5, 7, 9, 11, 13, 15);
#else
  return __builtin_shufflevector(x, y, 1, 3, 5, 7);
#endif
}

using Doubles = double __attribute__((vector_size(PDRT_VECTOR_BYTES)));

// Half a vector of floats. GCC 12 makes four instructions of what the processor does in one.
PDRT_INLINE Doubles in_double(const float* from) {
#if PDRT_VECTOR_BYTES == 64
  return _mm512_maskz_cvtps_pd(0xff, _mm256_loadu_ps(from));
#elif PDRT_VECTOR_BYTES == 32
  return _mm256_cvtps_pd(_mm_loadu_ps(from));
#else
  return Doubles{from[0], from[1]};
#endif
}

using Quad = float __attribute__((vector_size(16)));

// Halves added to halves until four lanes are left.
PDRT_INLINE Quad folded(Floats x) {
#if PDRT_VECTOR_BYTES == 64
  using Half = float __attribute__((vector_size(32)));
  const Half low = __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7);
  const Half half = low + __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15);
  const Quad first = __builtin_shufflevector(half, half, 0, 1, 2, 3);
  return first + __builtin_shufflevector(half, half, 4, 5, 6, 7);
#elif PDRT_VECTOR_BYTES == 32
  const Quad first = __builtin_shufflevector(x, x, 0, 1, 2, 3);
  return first + __builtin_shufflevector(x, x, 4, 5, 6, 7);
#else
  return x;
#endif
}

// The sums of all lanes of four vectors: transposed while they are added, which takes a quarter of
// the shuffles. Every sum is the same whatever the other three vectors hold.
PDRT_INLINE Quad sums_of(Floats a, Floats b, Floats c, Floats d) {
  const Quad fold[4] = {folded(a), folded(b), folded(c), folded(d)};
  const Quad ab = __builtin_shufflevector(fold[0], fold[1], 0, 4, 1, 5) +
                  __builtin_shufflevector(fold[0], fold[1], 2, 6, 3, 7);
  const Quad cd = __builtin_shufflevector(fold[2], fold[3], 0, 4, 1, 5) +
                  __builtin_shufflevector(fold[2], fold[3], 2, 6, 3, 7);
  return __builtin_shufflevector(ab, cd, 0, 1, 4, 5) + __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
}

PDRT_INLINE float sum_of(Floats x) { return sums_of(x, x, x, x)[0]; }

#if PDRT_VECTOR_BYTES == 64
// Four floats, over and over; and lane kLane of each four in all of them.
PDRT_INLINE Floats repeated(const float* four) {
  Floats x = _mm512_maskz_broadcast_f32x4(0xffff, _mm_loadu_ps(four));
  asm("" : "+v"(x));  // or the compiler may load each of the four again
  return x;
}
template <int kLane>
PDRT_INLINE Floats lane_of_four(Floats x) {
  return _mm512_maskz_permute_ps(0xffff, x, kLane * 0x55);
}
// Lane index[l] of x in lane l.
PDRT_INLINE Floats lanes_of(Floats x, Words index) {
  return _mm512_maskz_permutexvar_ps(0xffff, reinterpret_cast<__m512i>(index), x);
}
PDRT_INLINE Words splat_word(std::int32_t x) {
  return reinterpret_cast<Words>(_mm512_set1_epi32(x));
}
#endif

// Four lanes, then zeros.
PDRT_INLINE Floats widened(Quad x) {
#if PDRT_VECTOR_BYTES == 64
  return _mm512_zextps128_ps512(x);
#elif PDRT_VECTOR_BYTES == 32
  return _mm256_zextps128_ps256(x);
#else
  return x;
#endif
}

}  // namespace pdrt::cpu::PDRT_ISA
