// Factors of products that have one number per channel: what a switch is made of.
#pragma once

#include <optional>

#include "plan/program.h"

namespace pdrt::plan {

struct Multiplier {
  ValueId value = kAbsent;
  std::int64_t sample_stride = 0, channel_stride = 0;  // floats, seen from the product's channels
};

// Input `input` of a Mul as a factor of the other input; nothing where it has pixels of its own, is
// not a dense float32, or is stored without a single zero.
std::optional<Multiplier> multiplier_of(const Program& program, const std::vector<bool>& planes,
                                        const Op& mul, std::size_t input);

}  // namespace pdrt::plan
