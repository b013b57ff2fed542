// What moves between the host and the device during a run, found out once per plan: every value is
// made on one side, and is wanted on that or the other.
#pragma once

#include <vector>

#include "plan/plan.h"

namespace pdrt::run::device {

struct Moves {
  // `host_decides`: the host looks at the multipliers that decide what runs. `shared_planes`: both
  // sides use the same ones.
  Moves(const plan::Plan& plan, bool host_decides, bool shared_planes);

  // By step.
  std::vector<std::vector<ValueId>> awaited;  // dense, made on the device: the host must have them
  // Planes that the device has written and a host step reads.
  std::vector<std::vector<ValueId>> fetched;
  std::vector<std::vector<ValueId>> read_after;     // dense: on their way to the host at once
  std::vector<std::vector<ValueId>> written_after;  // made on the host, wanted on the device
  // By input of the program.
  std::vector<bool> to_host, to_device;
  // By value.
  std::vector<bool> on_device;  // where it is made
  std::vector<bool> unknown;    // made on the device and never read by the host
  // What a view shows, or the value itself.
  std::vector<ValueId> source;
};

}  // namespace pdrt::run::device
