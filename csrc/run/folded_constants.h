// Inputs of a convolution that are the same number everywhere, where no tap reads padding: they add
// one number to every pixel of a kernel, which becomes part of its bias.
#pragma once

#include "run/frame.h"

namespace pdrt::run {

// Weight columns of one kernel that there has to be room for, in whole groups of kLanes.
std::size_t folded_columns(const plan::Plan& plan);

// The bias of the task's kernels with what the first `folded` of work.folded_channels add:
// work.bias. `constants` are by channel of the task's group.
const float* fold_constants(const Frame& frame, const cpu::Convolution& task,
                            const float* constants, int folded);

}  // namespace pdrt::run
