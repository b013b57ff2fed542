#include "opencl/mapping.h"

#include "pdrt/error.h"

namespace pdrt::opencl {

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(queue_, other.queue_);
  std::swap(buffer_, other.buffer_);
  std::swap(offset_, other.offset_);
  std::swap(bytes_, other.bytes_);
  std::swap(data_, other.data_);
  return *this;
}

Mapping::~Mapping() {
  try {
    unmap();
  } catch (const DeviceError&) {  // an error is on its way already, or the device is lost
  }
}

void Mapping::unmap(Event* event) {
  if (data_ == nullptr) return;
  queue_->unmap(*buffer_, std::exchange(data_, nullptr), event);
}

}  // namespace pdrt::opencl
