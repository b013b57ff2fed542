// Lists of active kernels and channels, an entry for each sample (or each group of each), in a
// range of a run's list numbers. The device reads them as arrays of opencl::Part.
#pragma once

#include <vector>

#include "run/device/builder.h"
#include "run/device/workspace.h"

namespace pdrt::run::device {

class Lists {
 public:
  Lists() = default;
  Lists(Builder& builder, std::int64_t entries, std::int64_t kernels, std::int64_t channels);

  opencl::uint parts() const { return parts_; }
  opencl::uint kernels() const { return kernels_; }
  opencl::uint channels() const { return channels_; }
  std::int64_t kernel_room() const { return kernel_room_; }  // of an entry
  std::int64_t channel_room() const { return channel_room_; }
  std::int64_t entries() const { return entries_; }

  void clear(ListNumbers& numbers) const;
  void add_kernel(ListNumbers& numbers, std::int64_t entry, std::int32_t kernel) const;
  void add_channel(ListNumbers& numbers, std::int64_t entry, std::int32_t channel) const;
  // A kernel and the bits of a number beside it.
  void add_constant(ListNumbers& numbers, std::int64_t entry, std::int32_t kernel,
                    float value) const;

  opencl::Part part(const ListNumbers& numbers, std::int64_t entry) const;
  std::int32_t longest(const ListNumbers& numbers) const;  // list of kernels
  std::int32_t longest_channels(const ListNumbers& numbers) const;

 private:
  std::int32_t longest_of(const ListNumbers& numbers, int member) const;
  std::int32_t& count(ListNumbers& numbers, std::int64_t entry, int member) const {
    return numbers[parts_ + 4 * entry + member];
  }
  opencl::uint parts_ = 0, kernels_ = 0, channels_ = 0;
  std::int64_t entries_ = 0, kernel_room_ = 0, channel_room_ = 0;
};

}  // namespace pdrt::run::device
