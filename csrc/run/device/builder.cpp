#include "run/device/builder.h"

namespace pdrt::run::device {

SharedBuffer Weights::get(const float* original, int form, const Make& make) {
  const auto key = std::make_pair(original, form);
  const auto at = buffers_.find(key);
  if (at != buffers_.end()) return at->second;
  const std::vector<float> numbers = make();
  const std::size_t bytes = numbers.size() * sizeof(float);
  auto buffer = std::make_shared<const opencl::Buffer>(context_.make_buffer(bytes));
  queue_.write(*buffer, 0, numbers.data(), bytes, true);
  bytes_ += bytes;
  return buffers_.emplace(key, std::move(buffer)).first->second;
}

}  // namespace pdrt::run::device
