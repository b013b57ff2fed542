// A program's entry point with its arguments. (A kernel in OpenCL's sense; elsewhere in pdrt a
// kernel is an output channel.)
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

#include "opencl/buffer.h"
#include "opencl/handle.h"

namespace pdrt::opencl {

// Arguments stay until they are set anew; a copy shares them. One thread at a time sets and
// launches.
class Kernel {
 public:
  Kernel() = default;
  Kernel(Handle<cl_kernel> handle, cl_device_id device, std::string name)
      : handle_(std::move(handle)), device_(device), name_(std::move(name)) {}

  // By value.
  template <typename T>
  void set(int index, const T& value) {
    static_assert(std::is_trivially_copyable_v<T> && !std::is_pointer_v<T>,
                  "arguments are numbers, structures of numbers, and buffers");
    set_bytes(index, sizeof(T), &value);
  }
  // The buffer must live until the launches that read it are done.
  void set(int index, const Buffer& buffer) {
    cl_mem memory = buffer.get();
    // NOLINTNEXTLINE(bugprone-sizeof-expression): the handle itself, a pointer, is the argument
    set_bytes(index, sizeof memory, &memory);
  }
  // So many bytes of memory that a group shares.
  void set_local(int index, std::size_t bytes) { set_bytes(index, bytes, nullptr); }
  // A structure whose type is not known here.
  void set_bytes(int index, std::size_t bytes, const void* value);

  // Work-items the device runs in lockstep: groups are best a multiple of this.
  std::size_t group_multiple() const;
  // The largest group this kernel can run in.
  std::size_t max_group() const;
  std::string_view name() const { return name_; }
  cl_kernel get() const { return handle_.get(); }
  explicit operator bool() const { return static_cast<bool>(handle_); }

 private:
  std::size_t ask(cl_uint which) const;

  Handle<cl_kernel> handle_;
  cl_device_id device_ = nullptr;
  std::string name_;
};

}  // namespace pdrt::opencl
