#include "run/device/lists.h"

#include <algorithm>
#include <cstring>

namespace pdrt::run::device {

Lists::Lists(Builder& builder, std::int64_t entries, std::int64_t kernels, std::int64_t channels)
    : parts_(builder.reserve(4 * entries)),
      kernels_(builder.reserve(entries * kernels)),
      channels_(builder.reserve(entries * channels)),
      entries_(entries),
      kernel_room_(kernels),
      channel_room_(channels) {}

void Lists::clear(ListNumbers& numbers) const {
  for (std::int64_t e = 0; e < entries_; ++e) {
    count(numbers, e, 0) = static_cast<std::int32_t>(kernels_ + e * kernel_room_);
    count(numbers, e, 1) = 0;
    count(numbers, e, 2) = static_cast<std::int32_t>(channels_ + e * channel_room_);
    count(numbers, e, 3) = 0;
  }
}

void Lists::add_kernel(ListNumbers& numbers, std::int64_t entry, std::int32_t kernel) const {
  numbers[kernels_ + entry * kernel_room_ + count(numbers, entry, 1)++] = kernel;
}

void Lists::add_channel(ListNumbers& numbers, std::int64_t entry, std::int32_t channel) const {
  numbers[channels_ + entry * channel_room_ + count(numbers, entry, 3)++] = channel;
}

void Lists::add_constant(ListNumbers& numbers, std::int64_t entry, std::int32_t kernel,
                         float value) const {
  std::int32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  add_kernel(numbers, entry, kernel);
  add_channel(numbers, entry, bits);
}

opencl::Part Lists::part(const ListNumbers& numbers, std::int64_t entry) const {
  const std::int32_t* at = numbers.data() + parts_ + 4 * entry;
  return {at[0], at[1], at[2], at[3]};
}

std::int32_t Lists::longest(const ListNumbers& numbers) const { return longest_of(numbers, 1); }

std::int32_t Lists::longest_channels(const ListNumbers& numbers) const {
  return longest_of(numbers, 3);
}

std::int32_t Lists::longest_of(const ListNumbers& numbers, int member) const {
  std::int32_t longest = 0;
  for (std::int64_t e = 0; e < entries_; ++e)
    longest = std::max(longest, numbers[parts_ + 4 * e + member]);
  return longest;
}

}  // namespace pdrt::run::device
