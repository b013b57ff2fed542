// Which programs run a step on the device: one row for each form, as run/implementations.h has it
// for the CPU.
#pragma once

#include "run/device/step.h"

namespace pdrt::run::device {

// Whether there are programs for the step, and whether they should run it: a convolution that was
// measured to be faster on the CPU goes there.
plan::DeviceAnswer answer_for(const plan::Plan& plan, const plan::Step& step, const WayTable& ways);

std::unique_ptr<DeviceStep> make_step(Builder& builder, std::size_t step, bool changing);

}  // namespace pdrt::run::device
