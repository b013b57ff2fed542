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

SharedBuffer Weights::get_winograd(const float* original, std::int64_t kernels,
                                   std::int64_t channels, std::int64_t row, int tile) {
  const auto key = std::make_pair(original, -tile);
  const auto at = buffers_.find(key);
  if (at != buffers_.end()) return at->second;
  const std::size_t taps_bytes = kernels * channels * 9 * sizeof(float),
                    bytes = (tile + 2) * (tile + 2) * channels * row * sizeof(float);
  const opencl::Buffer taps = context_.make_buffer(taps_bytes);
  queue_.write(taps, 0, original, taps_bytes, true);
  auto buffer = std::make_shared<const opencl::Buffer>(context_.make_buffer(bytes));
  queue_.fill(*buffer, 0, bytes, 0);
  opencl::WinogradWeightsArguments arguments{};
  arguments.row = static_cast<opencl::uint>(row);
  arguments.kernels = static_cast<int>(kernels);
  arguments.channels = static_cast<int>(channels);
  opencl::Kernel transform =
      context_.kernel("winograd_weights", "winograd_weights", " -DTILE=" + std::to_string(tile));
  transform.set(0, taps);
  transform.set(1, *buffer);
  transform.set(2, arguments);
  queue_.launch(
      transform,
      {{static_cast<std::size_t>(kernels), static_cast<std::size_t>(channels), 1}, {1, 1, 1}});
  queue_.finish();
  bytes_ += bytes;
  return buffers_.emplace(key, std::move(buffer)).first->second;
}

}  // namespace pdrt::run::device
