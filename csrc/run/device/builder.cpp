#include "run/device/builder.h"

#include "run/device/half.h"

namespace pdrt::run::device {

SharedBuffer Weights::get(const float* original, int form, bool halves, const Make& make) {
  const auto key = std::make_tuple(original, form, halves);
  const auto at = buffers_.find(key);
  if (at != buffers_.end()) return at->second;
  const std::vector<float> numbers = make();
  std::vector<std::uint16_t> half_numbers;
  const void* data = numbers.data();
  std::size_t bytes = numbers.size() * sizeof(float);
  if (halves) {
    half_numbers.resize(numbers.size());
    std::transform(numbers.begin(), numbers.end(), half_numbers.begin(), half_of_float);
    data = half_numbers.data();
    bytes = half_numbers.size() * sizeof(std::uint16_t);
  }
  auto buffer = std::make_shared<const opencl::Buffer>(context_.make_buffer(bytes));
  queue_.write(*buffer, 0, data, bytes, true);
  bytes_ += bytes;
  return buffers_.emplace(key, std::move(buffer)).first->second;
}

SharedBuffer Weights::get_winograd(const float* original, std::int64_t kernels,
                                   std::int64_t channels, std::int64_t row, int tile, bool halves) {
  const auto key = std::make_tuple(original, -tile, halves);
  const auto at = buffers_.find(key);
  if (at != buffers_.end()) return at->second;
  const std::size_t number_bytes = halves ? sizeof(std::uint16_t) : sizeof(float),
                    taps_bytes = kernels * channels * 9 * sizeof(float),
                    bytes = (tile + 2) * (tile + 2) * channels * row * number_bytes;
  const opencl::Buffer taps = context_.make_buffer(taps_bytes);
  queue_.write(taps, 0, original, taps_bytes, true);
  auto buffer = std::make_shared<const opencl::Buffer>(context_.make_buffer(bytes));
  queue_.fill(*buffer, 0, bytes, 0);
  opencl::WinogradWeightsArguments arguments{};
  arguments.row = static_cast<opencl::uint>(row);
  arguments.kernels = static_cast<int>(kernels);
  arguments.channels = static_cast<int>(channels);
  opencl::Kernel transform =
      context_.kernel("winograd_weights", "winograd_weights",
                      std::string(halves ? kHalfProducts : "") + " -DTILE=" + std::to_string(tile));
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
