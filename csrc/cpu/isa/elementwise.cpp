// Epilogues over planes and single numbers.
#include "cpu/isa/functions.h"
#include "cpu/isa/stages.h"

namespace pdrt::cpu::PDRT_ISA {

// Loads kCount vectors, runs the stages, masks, stores; gathers the stored bits in `seen`.
template <int kCount>
PDRT_INLINE void finish_vectors(const Epilogue& epilogue, int k, const float* values, float* plane,
                                const std::uint32_t* mask, int pixel, Words& seen) {
  Floats x[kCount];
  for (int i = 0; i < kCount; ++i) x[i] = load(values + i * kVector);
  run_stages(epilogue, k, pixel, PlaneOperands::pixels, x);
  for (int i = 0; i < kCount; ++i) {
    const Words kept = bits(x[i]) & load(mask + pixel + i * kVector);
    seen |= kept;
    store(plane + pixel + i * kVector, floats(kept));
  }
}

bool finish(const Epilogue& epilogue, int k, const float* values, float* plane,
            const std::uint32_t* mask, int begin, int end) noexcept {
  constexpr int kWide = 4;  // vectors in flight: enough to hide the latency of one stage
  Words seen = {};
  int pixel = begin;
  for (; pixel + kWide * kVector <= end; pixel += kWide * kVector) {
    finish_vectors<kWide>(epilogue, k, values + (pixel - begin), plane, mask, pixel, seen);
  }
  for (; pixel < end; pixel += kVector) {
    finish_vectors<1>(epilogue, k, values + (pixel - begin), plane, mask, pixel, seen);
  }
  return any(seen & 0x7fffffff);  // -0 is zero
}

bool apply(const Epilogue& epilogue, int k, const float* in, float* out,
           const Plane& plane) noexcept {
  return finish(epilogue, k, in, out, plane.mask, 0, plane.flat);
}

float apply_to_constant(const Epilogue& epilogue, int k, float x) noexcept {
  Floats vector[1] = {splat(x)};
  run_stages(epilogue, k, 0, PlaneOperands::numbers, vector);
  return vector[0][0];
}

}  // namespace pdrt::cpu::PDRT_ISA
