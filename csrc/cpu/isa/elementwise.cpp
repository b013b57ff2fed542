// Epilogues over planes and single numbers.
#include "cpu/isa/functions.h"
#include "cpu/isa/stages.h"

namespace pdrt::cpu::PDRT_ISA {

// kCount vectors of finish(); returns the stored bits.
template <int kCount>
PDRT_INLINE Words finish_vectors(const Epilogue& epilogue, const Place& place, const float* values,
                                 float* plane, const std::uint32_t* mask) {
  Floats x[1][kCount];
  Words masks[kCount];
  unrolled<kCount>([&](int i) PDRT_LAMBDA { x[0][i] = load(values + i * kVector); });
  run_stages(epilogue, place, x);
  load_mask(mask + place.pixel, masks);
  return store_pixels(x[0], masks, plane + place.pixel);
}

bool finish(const Epilogue& epilogue, int k, const float* values, float* plane,
            const std::uint32_t* mask, int begin, int end) noexcept {
  constexpr int kWide = 4;  // vectors in flight: enough to hide the latency of one stage
  Words seen = {};
  Place place{&k, begin, PlaneOperands::pixels};
  for (; place.pixel + kWide * kVector <= end; place.pixel += kWide * kVector) {
    seen |= finish_vectors<kWide>(epilogue, place, values + (place.pixel - begin), plane, mask);
  }
  for (; place.pixel < end; place.pixel += kVector) {
    seen |= finish_vectors<1>(epilogue, place, values + (place.pixel - begin), plane, mask);
  }
  return any_nonzero(seen);
}

bool apply(const Epilogue& epilogue, int k, const float* in, float* out,
           const Plane& plane) noexcept {
  return finish(epilogue, k, in, out, plane.mask, 0, plane.flat);
}

float apply_to_constant(const Epilogue& epilogue, int k, float x) noexcept {
  Floats vector[1][1] = {{splat(x)}};
  run_stages(epilogue, Place{&k, 0, PlaneOperands::pixels}, vector);
  return vector[0][0][0];
}

}  // namespace pdrt::cpu::PDRT_ISA
