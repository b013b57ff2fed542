// Placement: which steps run on a device and which on the host beside it, and in what order, so
// that the device has work while the host decides.
#pragma once

#include <functional>
#include <string>

namespace pdrt::plan {

struct Plan;
struct Step;

// What a device says of a step. Asked before anything is laid out.
struct DeviceAnswer {
  std::string why_not;     // empty: it runs there
  bool by_choice = false;  // it could, but the host is faster
};
using DeviceCheck = std::function<DeviceAnswer(const Plan&, const Step&)>;

// The steps that compute multipliers which decide over other steps stay on the host, from the
// pooled numbers on, unless the device is to decide by itself; so do those that the device cannot
// run. Sets Step::on_device and Step::host_reason, and puts the steps in order.
void place_steps(Plan& plan, const DeviceCheck& check, bool switches_on_device);

}  // namespace pdrt::plan
