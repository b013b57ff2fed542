// Memory of a device.
#pragma once

#include <cstddef>

#include "opencl/handle.h"

namespace pdrt::opencl {

class Buffer {
 public:
  Buffer() = default;
  Buffer(Handle<cl_mem> handle, std::size_t bytes) : handle_(std::move(handle)), bytes_(bytes) {}

  std::size_t bytes() const { return bytes_; }
  cl_mem get() const { return handle_.get(); }
  explicit operator bool() const { return static_cast<bool>(handle_); }

 private:
  Handle<cl_mem> handle_;
  std::size_t bytes_ = 0;
};

}  // namespace pdrt::opencl
