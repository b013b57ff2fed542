// The machine's OpenCL devices, whether they work, and which one a name means.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "opencl/api.h"

namespace pdrt::opencl {

enum class DeviceKind { gpu, accelerator, cpu };
std::string_view name_of(DeviceKind kind);

struct DeviceInfo {
  cl_platform_id platform = nullptr;
  cl_device_id id = nullptr;
  std::string name, vendor, version, driver, platform_name, platform_version, extensions;
  DeviceKind kind = DeviceKind::cpu;
  std::uint32_t vendor_id = 0;
  int compute_units = 0, clock_mhz = 0;
  std::size_t max_group = 0;
  std::array<std::size_t, 3> max_group_sizes{};
  std::size_t local_bytes = 0, global_bytes = 0, max_buffer_bytes = 0;
  bool unified_memory = false;   // shared with the processor
  bool half_arithmetic = false;  // cl_khr_fp16
  bool compiler_available = false;
};

// Asks the driver. Throws DeviceError.
DeviceInfo describe(cl_device_id id);

// Whether the host and the device use one memory: as the device says, unless $PDRT_UNIFIED_MEMORY
// is 0 or 1. Throws DeviceError where it is something else.
bool shares_memory(const DeviceInfo& info);

// What is on this machine. Asked once per process, as soon as there is a library.
struct Inventory {
  std::vector<DeviceInfo> devices;  // of all platforms, in the loader's order
  std::vector<std::string> faults;  // what could not be listed, and why
};
const Inventory& inventory();
inline const std::vector<DeviceInfo>& all_devices() { return inventory().devices; }

// Whether a trivial program can be built and run, and gives the right answer.
struct Probe {
  bool works = false;
  std::string why;   // it does not
  std::string hint;  // what would help; may be empty
};
// Done once per process and device; `info` may be a device of a caller's own.
Probe probe(const DeviceInfo& info);

// For people: "NVIDIA H100, GPU, 132 units at 1.98 GHz, 79.1 GiB, no half arithmetic; NVIDIA CUDA,
// driver 550.54".
std::string summary_of(const DeviceInfo& info);

// Why there is no device at all: the places looked at, the platforms without one, and, first, the
// command that helps. One line each.
std::string why_no_devices();

// "opencl" is the best that works: a GPU before an accelerator before a CPU, then more compute
// units times clock. "opencl:1" is entry 1 of all_devices(), if it works. Throws DeviceError saying
// what there is and why it cannot be used.
const DeviceInfo& select(std::string_view name);

}  // namespace pdrt::opencl
