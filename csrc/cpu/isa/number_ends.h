// What comes after the sums of fully connected layers.
#pragma once

#include "cpu/isa/stages.h"

namespace pdrt::cpu::PDRT_ISA {

// Sums of `count` kernels, at most kLanes: their numbers, of_lane, stand in all kLanes places.
template <typename Task>
PDRT_INLINE void finish_numbers(const Task& task, const std::int32_t (&of_lane)[kLanes], int count,
                                float (&numbers)[kLanes]) {
  if (task.bias != nullptr) {
    for (int i = 0; i < kLanes; ++i) numbers[i] += task.bias[of_lane[i]];
  }
  if (task.epilogue.count > 0) {
    Floats x[1][kGroup];
    unrolled<kGroup>([&](int i) PDRT_LAMBDA { x[0][i] = load(numbers + i * kVector); });
    run_stages(task.epilogue, Place{of_lane, 0, PlaneOperands::numbers}, x);
    unrolled<kGroup>([&](int i) PDRT_LAMBDA { store(numbers + i * kVector, x[0][i]); });
  }
  for (int i = 0; i < count; ++i) task.output[of_lane[i]] = numbers[i];
}

}  // namespace pdrt::cpu::PDRT_ISA
