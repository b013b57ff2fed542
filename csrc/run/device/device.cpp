#include "run/device/device.h"

#include "pdrt/error.h"

namespace pdrt::run::device {

DeviceOptions device_options(const Options& options, const opencl::DeviceInfo& info) {
  DeviceOptions wanted;
  wanted.half_arithmetic = options.precision == "float16-arithmetic";
  wanted.half_planes = wanted.half_arithmetic || options.precision == "float16";
  wanted.fallback_to_host = options.fallback == "cpu";
  wanted.traced = options.profile;
  if (wanted.half_arithmetic && !info.half_arithmetic) {
    throw DeviceError("precision 'float16-arithmetic': " + info.name + " (" + info.platform_name +
                      ") has no half arithmetic, the extension cl_khr_fp16; precision 'float16' "
                      "stores planes as halves without it");
  }
  return wanted;
}

}  // namespace pdrt::run::device
