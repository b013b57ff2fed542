// Which programs run a step on the device: one row for each form, as run/implementations.h has it
// for the CPU.
#pragma once

#include "run/device/step.h"

namespace pdrt::run::device {

// Empty where there are programs for the step; else why there are none.
std::string why_not(const plan::Plan& plan, const plan::Step& step);

std::unique_ptr<DeviceStep> make_step(Builder& builder, std::size_t step, bool changing);

}  // namespace pdrt::run::device
