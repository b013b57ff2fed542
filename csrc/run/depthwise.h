// What the engine has to know of a depthwise step, whoever runs it.
#pragma once

#include "run/chain.h"

namespace pdrt::run {

// Of one sample, over whole planes; without the lists and the inputs.
cpu::Depthwise depthwise_task(const Frame& frame, const plan::Step& step, const Chain& chain,
                              std::int64_t sample);

}  // namespace pdrt::run
