// Between planes and arrays on the device.
#pragma once

#include "run/device/builder.h"
#include "run/device/lists.h"
#include "run/device/workspace.h"
#include "run/frame.h"

namespace pdrt::run::device {

// The planes of a value from an array, or into one. Strides are elements: sample, channel, row,
// pixel.
class Transfer {
 public:
  using Strides = std::array<std::int64_t, 4>;

  // `array`: where the other side is; `first`: its first element. `changing`: whether planes can be
  // off.
  Transfer(Builder& builder, ValueId value, bool load, const Argument& array, opencl::uint first,
           const Strides& strides, bool changing);

  void judge(const Frame& frame, Workspace& work) const;
  void enqueue(Workspace& work) const;
  // With an array elsewhere than when it was made: a caller's own.
  void enqueue_with(Workspace& work, const opencl::Buffer& array, opencl::uint first,
                    const Strides& strides) const;

 private:
  const plan::Plan& plan_;
  ValueId value_;
  plan::Extent extent_;
  bool load_, changing_;
  Lists lists_;
  opencl::uint constants_;
  opencl::TransferArguments arguments_{};
  int launch_ = -1;
};

// Strides of a contiguous array of the value's shape.
Transfer::Strides contiguous_strides(const plan::Plan& plan, ValueId value);
// Of a caller's array.
Transfer::Strides strides_of(const TensorView& view);

}  // namespace pdrt::run::device
