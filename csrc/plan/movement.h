// How operators move channels and samples: needed to follow need through them.
#pragma once

#include <optional>

#include "plan/program.h"

namespace pdrt::plan {

// Input channels [in_begin, in_begin + count) are output channels [out_begin, out_begin + count),
// in order, sample by sample; nothing else of the input reaches the output.
struct ChannelMap {
  int in_begin = 0, out_begin = 0, count = 0;
};

// Nothing where the op does more to channels or samples than that, or where its parameters are not
// stored.
std::optional<ChannelMap> channel_map(const Program& program, const Op& op, std::size_t output);

// Each sample of every output comes from the same sample of input `input` and from no other, so
// that a sample nobody needs behind the op is not needed in front of it. Errs on the side of no.
bool keeps_samples(const Program& program, const Op& op, std::size_t input);

}  // namespace pdrt::plan
