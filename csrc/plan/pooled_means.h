// A global average pool of planes that a convolution makes becomes part of that step: the mean of a
// plane is known when its last pixel is stored, and the plane need not be read for it.
#pragma once

#include "plan/dependence.h"
#include "plan/step.h"

namespace pdrt::plan {

// After the needs of all steps are known: a pool that waits for a switch stays a step of its own.
// So does, on a device, the pool of a step with switches, which does not store all of its planes.
void fuse_pooled_means(const Program& program, std::vector<Step>& steps, Dependence& dependence,
                       const Needs& needs, bool on_device);

}  // namespace pdrt::plan
