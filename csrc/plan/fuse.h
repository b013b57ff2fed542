// Nodes into steps: a convolution, pool or fully connected layer takes the element-wise nodes
// behind it along.
#pragma once

#include <deque>
#include <vector>

#include "plan/dependence.h"
#include "plan/step.h"

namespace pdrt::plan {

// One step per group of `dependence`, which is updated; indexed by group, empty (no ops) where
// merged away. `packed` keeps what the steps point to.
std::vector<Step> fuse(const Program& program, const std::vector<bool>& planes,
                       Dependence& dependence, std::deque<Tensor>& packed);

// Every node as its reference, nothing fused: the specification, run as it is written.
std::vector<Step> reference_steps(const Program& program);

}  // namespace pdrt::plan
