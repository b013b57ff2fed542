// Layers: the steps whose multiply-adds are counted, whatever runs them.
#pragma once

#include <cstdint>
#include <optional>

#include "plan/program.h"

namespace pdrt::plan {

// Per sample, `kernels` kernels each read `channels` input channels (of their group), and each such
// pair takes `macs_per_pair` multiply-adds.
struct Layer {
  std::int64_t samples = 1, kernels = 0, channels = 0, macs_per_pair = 1;
  std::int64_t pairs() const { return kernels * channels; }
  std::int64_t macs() const { return samples * pairs() * macs_per_pair; }
};

// Conv, Gemm and MatMul are layers; nothing else is.
std::optional<Layer> layer_of(const Program& program, const Op& op);

}  // namespace pdrt::plan
