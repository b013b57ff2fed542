#include <algorithm>
#include <charconv>

#include "opencl/device.h"
#include "pdrt/error.h"

namespace pdrt::opencl {
namespace {

std::string number_name(std::size_t number) { return "opencl:" + std::to_string(number); }

std::string refusal(const Probe& probe) {
  return probe.why + (probe.hint.empty() ? "" : "\n" + probe.hint);
}

const DeviceInfo& numbered(std::string_view name, std::string_view digits) {
  const std::vector<DeviceInfo>& devices = all_devices();
  std::size_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, failed] = std::from_chars(digits.data(), end, number);
  if (failed != std::errc{} || stop != end || number >= devices.size()) {
    std::string message = "there is no device '" + std::string(name) + "'; there are";
    for (std::size_t i = 0; i < devices.size(); ++i) {
      message += (i ? ", " : " ") + number_name(i) + " (" + devices[i].name + ")";
    }
    throw DeviceError(message);
  }
  const Probe result = probe(devices[number]);
  if (!result.works) {
    throw DeviceError(std::string(name) + " (" + devices[number].name +
                      ") cannot be used: " + refusal(result));
  }
  return devices[number];
}

const DeviceInfo& best() {
  std::vector<const DeviceInfo*> order;
  for (const DeviceInfo& device : all_devices()) order.push_back(&device);
  const auto speed = [](const DeviceInfo* device) {
    return static_cast<std::int64_t>(device->compute_units) * device->clock_mhz;
  };
  std::stable_sort(order.begin(), order.end(), [&](const DeviceInfo* a, const DeviceInfo* b) {
    return a->kind != b->kind ? a->kind < b->kind : speed(a) > speed(b);
  });
  std::string refused;
  for (const DeviceInfo* device : order) {
    const Probe result = probe(*device);
    if (result.works) return *device;
    refused += "\n  " + device->name + ": " + refusal(result);
  }
  throw DeviceError("no OpenCL device of this machine works:" + refused);
}

}  // namespace

const DeviceInfo& select(std::string_view name) {
  constexpr std::string_view kAny = "opencl";
  const bool any = name == kAny;
  if (!any && name.substr(0, kAny.size() + 1) != "opencl:") {
    throw DeviceError("'" + std::string(name) +
                      "' is no OpenCL device: \"opencl\" or \"opencl:0\"");
  }
  if (all_devices().empty()) throw DeviceError(why_no_devices());
  return any ? best() : numbered(name, name.substr(kAny.size() + 1));
}

}  // namespace pdrt::opencl
