// How a tile of a convolution begins, with biases, and ends: sums go through the epilogue and
// become pixels.
#pragma once

#include "cpu/isa/functions.h"
#include "cpu/isa/stages.h"

namespace pdrt::cpu::PDRT_ISA {

// How a tile ends.
enum class Finish {
  as_they_are,   // all are pixels, there are no stages, and nobody wants to know more
  in_registers,  // the epilogue has cheap stages alone
  past_caches,   // the same, see Convolution
  in_memory,     // any epilogue: through a buffer on the stack
};

// Where the planes of a tile's kernels begin.
template <int kKernels>
struct Outputs {
  float* of[kKernels];
  Outputs(const Convolution& task, const std::int32_t* kernels) {
    unrolled<kKernels>([&](int i) PDRT_LAMBDA { of[i] = opaque(output_of(task, kernels + i)); });
  }
};

template <int kKernels, int kVectors>
PDRT_INLINE void start_tile(const Convolution& task, const std::int32_t* kernels,
                            Floats (&sums)[kKernels][kVectors]) {
  unrolled<kKernels>([&](int i) PDRT_LAMBDA {
    const Floats bias = splat(task.bias != nullptr ? task.bias[kernels[i]] : 0.0f);
    unrolled<kVectors>([&](int j) PDRT_LAMBDA { sums[i][j] = bias; });
  });
}

template <int kKernels, int kVectors>
PDRT_INLINE void finish_in_memory(const Convolution& task, const std::int32_t* kernels,
                                  const Outputs<kKernels>& outputs, int begin,
                                  const Floats (&sums)[kKernels][kVectors]) {
  alignas(64) float values[kKernels][kVectors * kVector];
  unrolled<kKernels>([&](int i) PDRT_LAMBDA {
    unrolled<kVectors>([&](int j) PDRT_LAMBDA { store(values[i] + j * kVector, sums[i][j]); });
  });
  const Plane& plane = *task.plane;
  for (int i = 0; i < kKernels; ++i) {
    const int k = kernels[i];
    float* output = outputs.of[i];
    const bool seen =
        finish(task.epilogue, k, values[i], output, plane.mask, begin, begin + kVectors * kVector);
    if (seen && task.nonzero != nullptr) mark(task.nonzero, k);
    if (task.lane_sums != nullptr) {
      add_to_lanes(output + begin, kVectors * kVector,
                   task.lane_sums + std::int64_t{1} * k * kLanes);
    }
  }
}

template <bool kPastCaches, int kKernels, int kVectors>
PDRT_INLINE void finish_in_registers(const Convolution& task, const std::int32_t* kernels,
                                     const Outputs<kKernels>& outputs, int begin,
                                     Floats (&sums)[kKernels][kVectors]) {
  const Place place{kernels, begin, PlaneOperands::pixels};
  for (int s = 0; s < task.epilogue.count; ++s) {
    run_cheap_stage(task.epilogue.stages[s], place, sums);
  }
  const Plane& plane = *task.plane;
  Words mask[kVectors];
  load_mask(plane.mask + begin, mask);
  unrolled<kKernels>([&](int i) PDRT_LAMBDA {
    const int k = kernels[i];
    const Words seen = store_pixels<kVectors, kPastCaches>(sums[i], mask, outputs.of[i] + begin);
    if (task.nonzero != nullptr && !is_marked(task.nonzero, k) && any_nonzero(seen))
      mark(task.nonzero, k);
  });
  if (task.lane_sums == nullptr) return;
  // Some instruction sets have tiles of half a group.
  constexpr int kTurns = kVectors < kGroup ? 1 : kVectors / kGroup;
  unrolled<kKernels>([&](int i) PDRT_LAMBDA {
    float* lanes = task.lane_sums + std::int64_t{1} * kernels[i] * kLanes;
    unrolled<kVectors / kTurns>([&](int g) PDRT_LAMBDA {
      Floats sum = load(lanes + g * kVector);
      unrolled<kTurns>([&](int turn) PDRT_LAMBDA {
        const int at = turn * kGroup + g;
        sum += sums[i][at];
      });
      store(lanes + g * kVector, sum);
    });
  });
}

template <int kKernels, int kVectors>
PDRT_INLINE void finish_tile(const Convolution& task, const std::int32_t* kernels,
                             const Outputs<kKernels>& outputs, int begin, Finish how,
                             Floats (&sums)[kKernels][kVectors]) {
  if (how == Finish::as_they_are) {
    unrolled<kKernels>([&](int i) PDRT_LAMBDA {
      unrolled<kVectors>(
          [&](int j) PDRT_LAMBDA { store(outputs.of[i] + begin + j * kVector, sums[i][j]); });
    });
  } else if (how == Finish::in_registers) {
    finish_in_registers<false>(task, kernels, outputs, begin, sums);
  } else if (how == Finish::past_caches) {
    finish_in_registers<true>(task, kernels, outputs, begin, sums);
  } else {
    finish_in_memory(task, kernels, outputs, begin, sums);
  }
}

}  // namespace pdrt::cpu::PDRT_ISA
