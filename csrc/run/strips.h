// Two steps at a time, strip by strip: a convolution and the depthwise one that alone reads what it
// makes. A strip of all kernels' planes is still in a near cache when it is read, and the next one
// is written over it. Kernel k of the second step reads plane k, so that every thread takes some
// kernels through all strips.
#pragma once

#include "run/ways.h"

namespace pdrt::run::strips {

// The group's kernels, and those of the step after it that read them.
void run(const Frame& frame, const Group& group, std::int64_t macs);

// When the second step's turn comes: which of the first `count` kernels of work.kernels have been
// found to have pixels that are not zero, into work.nonzero.
void take_nonzero(const Frame& frame, ValueId output, std::int64_t sample, int count);

}  // namespace pdrt::run::strips
