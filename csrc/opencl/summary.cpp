// Devices, and why there is none, in words.
#include <cstdio>

#include "opencl/device.h"
#include "opencl/library.h"

namespace pdrt::opencl {
namespace {

std::string with_digits(double number, const char* format) {
  char text[32];
  std::snprintf(text, sizeof text, format, number);
  return text;
}

// What helps first; the rest is for those whom it does not.
constexpr const char* kHint =
    "on Debian and Ubuntu 'apt-get install pocl-opencl-icd' makes the processor one; a GPU's comes "
    "with its driver; without root: pip install 'pdrt[opencl]'";

}  // namespace

std::string summary_of(const DeviceInfo& info) {
  std::string text = info.name + ", " + std::string(name_of(info.kind)) + ", " +
                     std::to_string(info.compute_units) + " units";
  if (info.clock_mhz > 0) text += " at " + with_digits(info.clock_mhz / 1000.0, "%.2f GHz");
  text += ", " + with_digits(static_cast<double>(info.global_bytes) / (1 << 30), "%.1f GiB");
  if (info.unified_memory) text += " shared with the processor";
  text += info.half_arithmetic ? ", half arithmetic" : ", no half arithmetic";
  return text + "; " + info.platform_name + ", driver " + info.driver;
}

std::string why_no_devices() {
  std::string missing, rest;
  for (const Attempt& attempt : tried()) {
    if (attempt.why == kNotThere) {
      missing += (missing.empty() ? "" : ", ") + attempt.path;
    } else if (!attempt.why.empty()) {
      rest += "\n" + attempt.path + ": " + attempt.why;
    }
  }
  for (const std::string& fault : inventory().faults) rest += "\n" + fault;
  if (!missing.empty()) rest += std::string("\n") + kNotThere + ": " + missing;
  return std::string("this machine has no OpenCL device\n") + kHint + rest;
}

}  // namespace pdrt::opencl
