#include "opencl/device.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <mutex>

#include "opencl/library.h"
#include "opencl/query.h"
#include "pdrt/error.h"

namespace pdrt::opencl {
namespace {

DeviceKind kind_of(cl_bitfield type) {
  if (type & kDeviceTypeGpu) return DeviceKind::gpu;
  return type & kDeviceTypeCpu ? DeviceKind::cpu : DeviceKind::accelerator;
}

bool has_word(const std::string& words, std::string_view word) {
  return (" " + words + " ").find(" " + std::string(word) + " ") != std::string::npos;
}

std::vector<cl_platform_id> platforms(const Api& cl) {
  cl_uint count = 0;
  const cl_int code = cl.get_platform_ids(0, nullptr, &count);
  if (code == kPlatformNotFound || (code == kSuccess && count == 0)) return {};
  check(code, "clGetPlatformIDs");
  std::vector<cl_platform_id> ids(count);
  check(cl.get_platform_ids(count, ids.data(), nullptr), "clGetPlatformIDs");
  return ids;
}

std::vector<cl_device_id> devices_of(const Api& cl, cl_platform_id platform) {
  cl_uint count = 0;
  const cl_int code = cl.get_device_ids(platform, kDeviceTypeAll, 0, nullptr, &count);
  if (code == kDeviceNotFound || (code == kSuccess && count == 0)) return {};
  check(code, "clGetDeviceIDs");
  std::vector<cl_device_id> ids(count);
  check(cl.get_device_ids(platform, kDeviceTypeAll, count, ids.data(), nullptr), "clGetDeviceIDs");
  return ids;
}

std::string platform_text(const Api& cl, cl_platform_id platform, cl_uint which) {
  return query_text([&](auto... rest) { return cl.get_platform_info(platform, rest...); }, which,
                    "clGetPlatformInfo");
}

void list_platform(const Api& cl, cl_platform_id platform, Inventory& all) {
  std::string name = "an OpenCL platform";
  try {
    name = "platform " + platform_text(cl, platform, kPlatformName);
    const std::vector<cl_device_id> ids = devices_of(cl, platform);
    if (ids.empty()) all.faults.push_back(name + " has no device");
    for (cl_device_id id : ids) all.devices.push_back(describe(id));
  } catch (const DeviceError& error) {
    all.faults.push_back(name + ": " + error.what());
  }
}

Inventory take_inventory(const Api& cl) {
  Inventory all;
  try {
    for (cl_platform_id platform : platforms(cl)) list_platform(cl, platform, all);
  } catch (const DeviceError& error) {
    all.faults.emplace_back(error.what());
  }
  return all;
}

}  // namespace

std::string_view name_of(DeviceKind kind) {
  switch (kind) {
    case DeviceKind::gpu:
      return "GPU";
    case DeviceKind::accelerator:
      return "accelerator";
    case DeviceKind::cpu:
      return "CPU";
  }
  return "";
}

DeviceInfo describe(cl_device_id id) {
  constexpr std::string_view kCall = "clGetDeviceInfo";
  const Api& cl = api();
  const auto ask = [&](auto... rest) { return cl.get_device_info(id, rest...); };
  const auto number = [&](cl_uint which) {
    return static_cast<int>(query<cl_uint>(ask, which, kCall));
  };
  const auto flag = [&](cl_uint which) { return query<cl_bool>(ask, which, kCall) != 0; };
  const auto bytes = [&](cl_uint which) {
    return static_cast<std::size_t>(query<cl_ulong>(ask, which, kCall));
  };

  DeviceInfo info;
  info.id = id;
  info.platform = query<cl_platform_id>(ask, kDevicePlatform, kCall);
  info.platform_name = platform_text(cl, info.platform, kPlatformName);
  info.platform_version = platform_text(cl, info.platform, kPlatformVersion);
  info.name = query_text(ask, kDeviceName, kCall);
  info.vendor = query_text(ask, kDeviceVendor, kCall);
  info.version = query_text(ask, kDeviceVersion, kCall);
  info.driver = query_text(ask, kDriverVersion, kCall);
  info.extensions = query_text(ask, kDeviceExtensions, kCall);
  info.kind = kind_of(query<cl_bitfield>(ask, kDeviceType, kCall));
  info.vendor_id = query<cl_uint>(ask, kDeviceVendorId, kCall);
  info.compute_units = number(kDeviceComputeUnits);
  info.clock_mhz = number(kDeviceClockMhz);
  info.max_group = query<std::size_t>(ask, kDeviceMaxGroupSize, kCall);
  const auto sizes = query_list<std::size_t>(ask, kDeviceMaxItemSizes, kCall);
  std::copy_n(sizes.begin(), std::min<std::size_t>(3, sizes.size()), info.max_group_sizes.begin());
  info.local_bytes = bytes(kDeviceLocalMemory);
  info.global_bytes = bytes(kDeviceGlobalMemory);
  info.max_buffer_bytes = bytes(kDeviceMaxAllocation);
  info.unified_memory = flag(kDeviceUnifiedMemory);
  info.half_arithmetic = has_word(info.extensions, "cl_khr_fp16");
  info.compiler_available = flag(kDeviceAvailable) && flag(kDeviceCompilerAvailable);
  return info;
}

bool shares_memory(const DeviceInfo& info) {
  const char* told = std::getenv("PDRT_UNIFIED_MEMORY");
  const std::string_view wanted = told == nullptr ? "" : told;
  if (wanted.empty()) return info.unified_memory;
  if (wanted == "0" || wanted == "1") return wanted == "1";
  throw DeviceError("PDRT_UNIFIED_MEMORY is '" + std::string(wanted) + "'; it must be 0 or 1");
}

const Inventory& inventory() {
  // Kept for good: devices are referred to from everywhere, and drivers outlive our statics.
  static std::mutex& mutex = *new std::mutex;
  static const Inventory* known = nullptr;
  static const Inventory& nothing = *new Inventory;
  const std::lock_guard lock(mutex);
  if (known == nullptr) {
    const Library* found = library();
    if (found == nullptr) return nothing;  // a candidate may be added yet
    auto taken = std::make_unique<Inventory>(take_inventory(found->api));
    if (taken->devices.empty() && taken->faults.empty()) return nothing;
    known = taken.release();
  }
  return *known;
}

}  // namespace pdrt::opencl
