// Two steps at a time, strip by strip: a convolution and the depthwise one that alone reads what it
// makes. A strip of all kernels' planes is still in a near cache when it is read, and the next one
// is written over it. Kernel k of the second step reads plane k, so that every thread takes some
// kernels through all strips.
#pragma once

#include "run/ways.h"

namespace pdrt::run::strips {

// The group's kernels, and those of the step after it that read them: what its own turn has left to
// do with those is to take which are not zero from Frame::strip_nonzero.
void run(const Frame& frame, const Group& group, std::int64_t macs);

}  // namespace pdrt::run::strips
