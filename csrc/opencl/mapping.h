// A range of a buffer in the host's hands.
#pragma once

#include <cstddef>
#include <utility>

#include "opencl/queue.h"

namespace pdrt::opencl {

// Made when everything that was put into the queue before is done. Until it is unmapped the host
// may read and write the range, and no command may use the buffer; the range may lie elsewhere the
// next time. The queue and the buffer must outlive it.
class Mapping {
 public:
  Mapping() = default;
  Mapping(const Queue& queue, const Buffer& buffer, std::size_t offset, std::size_t bytes,
          Event* event = nullptr)
      : queue_(&queue),
        buffer_(&buffer),
        offset_(offset),
        bytes_(bytes),
        data_(static_cast<std::byte*>(
            queue.map(buffer, offset, bytes, true, true, /*blocking=*/true, event))) {}
  Mapping(Mapping&& other) noexcept { *this = std::move(other); }
  Mapping& operator=(Mapping&& other) noexcept;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  // Unmaps, too: what goes wrong then, nobody hears of.
  ~Mapping();

  // The device sees what the host wrote in all commands from here on.
  void unmap(Event* event = nullptr);

  std::byte* data() const { return data_; }
  std::size_t offset() const { return offset_; }
  bool covers(std::size_t offset, std::size_t bytes) const {
    return data_ != nullptr && offset >= offset_ && offset + bytes <= offset_ + bytes_;
  }
  explicit operator bool() const { return data_ != nullptr; }

 private:
  const Queue* queue_ = nullptr;
  const Buffer* buffer_ = nullptr;
  std::size_t offset_ = 0, bytes_ = 0;
  std::byte* data_ = nullptr;
};

}  // namespace pdrt::opencl
