// A session's device: its context, its weights, and how the session wants it used.
#pragma once

#include "pdrt/session.h"
#include "run/device/builder.h"

namespace pdrt::run::device {

struct DeviceOptions {
  bool half_planes = false;       // planes are stored as halves
  bool half_arithmetic = false;   // and multiplied as halves; only with half_planes
  bool fallback_to_host = false;  // steps without a program run on the host; else they are an error
  bool traced = false;            // times of every launch are kept
};
// As a session's options have it. Throws DeviceError where the device cannot do that.
DeviceOptions device_options(const Options& options, const opencl::DeviceInfo& info);

class Device {
 public:
  // `own_queue`: the caller's, where everything is to be enqueued; or nullptr.
  Device(opencl::Context context, const DeviceOptions& options, WayTuning ways,
         opencl::cl_command_queue own_queue)
      : context(std::move(context)),
        own_queue(own_queue),
        queue(make_queue(options.traced)),
        options(options),
        ways(std::move(ways)),
        weights(this->context, queue) {}
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  opencl::Queue make_queue(bool traced) const {
    return own_queue != nullptr ? context.adopt(own_queue, traced) : context.make_queue(traced);
  }

  const opencl::Context context;
  const opencl::cl_command_queue own_queue;
  const opencl::Queue queue;  // of uploads
  const DeviceOptions options;
  const WayTuning ways;
  Weights weights;
};

}  // namespace pdrt::run::device
