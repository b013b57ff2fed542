// When a command of a queue was done, and when it did what.
#pragma once

#include <cstdint>

#include "opencl/handle.h"

namespace pdrt::opencl {

class Event {
 public:
  Event() = default;
  explicit Event(Handle<cl_event> handle) : handle_(std::move(handle)) {}

  // Throws DeviceError with the command's own error where it failed.
  void wait() const;
  bool done() const;

  // Nanoseconds of the device's clock; of queues made for profiling, after the command is done.
  std::uint64_t queued() const { return time(kProfilingQueued); }
  std::uint64_t submitted() const { return time(kProfilingSubmit); }
  std::uint64_t started() const { return time(kProfilingStart); }
  std::uint64_t ended() const { return time(kProfilingEnd); }

  // kCommandLaunch and so on.
  cl_uint command() const;

  cl_event get() const { return handle_.get(); }
  explicit operator bool() const { return static_cast<bool>(handle_); }

 private:
  cl_int status() const;
  std::uint64_t time(cl_uint which) const;

  Handle<cl_event> handle_;
};

}  // namespace pdrt::opencl
