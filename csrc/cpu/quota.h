// The CPU quota of a control group.
#pragma once

#include <string>

namespace pdrt::cpu {

// CPUs' worth of time that the groups named in the file `membership` (as in /proc/self/cgroup) may
// use, from the control files under `root` (as in /sys/fs/cgroup): the lowest limit of the group
// and those above it, version 1 or 2; 0: no limit.
double cgroup_quota(const std::string& membership, const std::string& root);

}  // namespace pdrt::cpu
