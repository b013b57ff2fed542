// A session's device: its context, its weights, and how the session wants it used.
#pragma once

#include "run/device/builder.h"

namespace pdrt::run::device {

struct DeviceOptions {
  bool half_planes = false;       // planes are stored as halves
  bool fallback_to_host = false;  // steps without a program run on the host; else they are an error
  bool traced = false;            // times of every launch are kept
};

class Device {
 public:
  Device(opencl::Context context, const DeviceOptions& options)
      : context(std::move(context)),
        queue(this->context.make_queue(options.traced)),
        options(options),
        weights(this->context, queue) {}
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  const opencl::Context context;
  const opencl::Queue queue;  // of uploads
  const DeviceOptions options;
  Weights weights;
};

}  // namespace pdrt::run::device
