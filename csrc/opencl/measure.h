// What a device could do at best, to compare with what it does.
#pragma once

#include <cstddef>

#include "opencl/context.h"

namespace pdrt::opencl {

struct Peaks {
  double gflops = 0;                // of nothing but multiply-adds on floats, 2 for each
  double gigabytes_per_second = 0;  // of a copy within its memory: read and written
  double to_device = 0,
         to_host = 0;              // gigabytes per second, between ordinary memory and the device's
  double launch_microseconds = 0;  // from asking for the smallest launch to knowing it is over
};

// Takes about a second. Throws DeviceError.
Peaks measure_peaks(const Context& context);

}  // namespace pdrt::opencl
