// How many threads this process may use: what the scheduler allows and what its control group pays
// for.
#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "cpu/pool.h"
#include "cpu/quota.h"

namespace pdrt::cpu {
namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// CPUs per period; 0 where there is no limit.
double ratio(const std::string& quota, const std::string& period) {
  const double q = std::strtod(quota.c_str(), nullptr);  // "max" and "-1" mean no limit
  const double p = std::strtod(period.c_str(), nullptr);
  return q > 0 && p > 0 ? q / p : 0;
}

double quota_v2(const std::string& folder) {
  std::istringstream line(first_line(folder + "/cpu.max"));
  std::string quota, period;
  line >> quota >> period;
  return ratio(quota, period);
}

double quota_v1(const std::string& folder) {
  return ratio(first_line(folder + "/cpu.cfs_quota_us"), first_line(folder + "/cpu.cfs_period_us"));
}

// The lowest limit from `group` up to the mount itself. Inside a container the group's path may be
// that of the host and not be there: then only the mount counts.
double lowest_quota(const std::string& mount, std::string group,
                    double (*quota)(const std::string&)) {
  double lowest = 0;
  for (;;) {
    const double found = quota(mount + group);
    if (found > 0 && (lowest == 0 || found < lowest)) lowest = found;
    if (group.empty()) return lowest;
    group.resize(group.find_last_of('/') == std::string::npos ? 0 : group.find_last_of('/'));
  }
}

bool lists_cpu(const std::string& controllers) {
  std::istringstream names(controllers);
  for (std::string name; std::getline(names, name, ',');) {
    if (name == "cpu") return true;
  }
  return false;
}

int scheduled_threads() {
  // A mask larger than the fixed one is possible on machines with more than 1024 processors.
  for (int capacity = CPU_SETSIZE; capacity <= (1 << 20); capacity *= 2) {
    cpu_set_t* set = CPU_ALLOC(capacity);
    if (set == nullptr) break;
    const std::size_t bytes = CPU_ALLOC_SIZE(capacity);
    const bool done = sched_getaffinity(0, bytes, set) == 0;
    const int count = done ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (done) return count;
  }
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

double cgroup_quota(const std::string& membership, const std::string& root) {
  std::ifstream file(membership);
  double lowest = 0;
  // "4:cpu,cpuacct:/some/group" (version 1) or "0::/some/group" (version 2)
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1) == "/" ? "" : line.substr(second + 1);
    double found = 0;
    if (controllers.empty()) {
      found = lowest_quota(root, group, quota_v2);
      if (found == 0) found = lowest_quota(root + "/unified", group, quota_v2);
    } else if (lists_cpu(controllers)) {
      found = lowest_quota(root + "/" + controllers, group, quota_v1);
      if (found == 0) found = lowest_quota(root + "/cpu", group, quota_v1);
    }
    if (found > 0 && (lowest == 0 || found < lowest)) lowest = found;
  }
  return lowest;
}

int available_threads() {
  const int scheduled = scheduled_threads();
  const double quota = cgroup_quota("/proc/self/cgroup", "/sys/fs/cgroup");
  const int paid = quota > 0 ? static_cast<int>(std::ceil(std::min(quota, 1e6))) : scheduled;
  return std::max(1, std::min(scheduled, paid));
}

}  // namespace pdrt::cpu
