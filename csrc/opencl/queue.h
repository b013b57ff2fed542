// Commands for a device, carried out in order. Nothing here waits unless it says so; a command that
// is not waited for may fail later, and a later call then throws.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "opencl/buffer.h"
#include "opencl/event.h"
#include "opencl/kernel.h"

namespace pdrt::opencl {

struct Range {
  std::array<std::size_t, 3> global{1, 1, 1};  // work-items, a multiple of `local` along each axis
  std::array<std::size_t, 3> local{1, 1, 1};
};

// Everything throws DeviceError. An `event`, where one is given, becomes the command's. Transfers
// of 0 bytes, which OpenCL refuses, are no commands.
class Queue {
 public:
  Queue() = default;
  explicit Queue(Handle<cl_command_queue> handle) : handle_(std::move(handle)) {}

  void launch(const Kernel& kernel, const Range& range, Event* event = nullptr) const;

  // Unless `blocking`, the memory must stay as it is until the command is done.
  void write(const Buffer& to, std::size_t offset, const void* from, std::size_t bytes,
             bool blocking, Event* event = nullptr) const;
  void read(const Buffer& from, std::size_t offset, void* to, std::size_t bytes, bool blocking,
            Event* event = nullptr) const;
  void copy(const Buffer& from, std::size_t from_offset, const Buffer& to, std::size_t to_offset,
            std::size_t bytes, Event* event = nullptr) const;
  void fill(const Buffer& buffer, std::size_t offset, std::size_t bytes, std::uint8_t value,
            Event* event = nullptr) const;
  // `offset` and `bytes` must be multiples of 4.
  void fill_words(const Buffer& buffer, std::size_t offset, std::size_t bytes, std::uint32_t value,
                  Event* event = nullptr) const;

  // The pointer may be used once the command is done, until unmap.
  void* map(const Buffer& buffer, std::size_t offset, std::size_t bytes, bool for_reading,
            bool for_writing, bool blocking, Event* event = nullptr) const;
  void unmap(const Buffer& buffer, void* mapped, Event* event = nullptr) const;

  void flush() const;
  void finish() const;  // waits
  // Done when all that was put in before is.
  Event marker() const;

  const Api& api() const { return handle_.api(); }
  cl_command_queue get() const { return handle_.get(); }
  explicit operator bool() const { return static_cast<bool>(handle_); }

 private:
  Handle<cl_command_queue> handle_;
};

// Waits at the end of its scope, exceptions included, until the queue is done with the host's
// memory: declare it after what commands that were not waited for read or write.
class Drain {
 public:
  explicit Drain(const Queue& queue) : queue_(queue) {}
  ~Drain();
  Drain(const Drain&) = delete;
  Drain& operator=(const Drain&) = delete;

 private:
  const Queue& queue_;
};

}  // namespace pdrt::opencl
