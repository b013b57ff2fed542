#include "run/device/transfer_steps.h"

#include <cstring>

#include "run/device/planewise.h"

namespace pdrt::run::device {

using opencl::uint;

Transfer::Transfer(Builder& builder, ValueId value, bool load, const Argument& array, uint first,
                   const Strides& strides, bool changing)
    : plan_(builder.plan),
      value_(value),
      extent_(plan::extent_of(plan_.value(value).shape)),
      load_(load),
      changing_(changing),
      lists_(builder, extent_.samples, extent_.channels, 0),
      constants_(builder.reserve(changing ? extent_.samples * extent_.channels : 0)) {
  const plan::Placement& at = plan_.values[value];
  opencl::TransferArguments arguments{};
  arguments.planes = planes_of(plan_, value);
  arguments.array = first;
  arguments.sample_stride = static_cast<uint>(strides[0]);
  arguments.channel_stride = static_cast<uint>(strides[1]);
  arguments.row_stride = static_cast<uint>(strides[2]);
  arguments.pixel_stride = static_cast<uint>(strides[3]);
  arguments.samples = static_cast<int>(extent_.samples);
  arguments.channels = static_cast<int>(extent_.channels);
  arguments.parts = lists_.parts();
  arguments.constants = changing ? constants_ : PDRT_NONE;
  arguments.out_flags = static_cast<uint>(at.state);
  arguments.out_flags_stride = static_cast<uint>(at.state_stride);
  LaunchSpec spec;
  spec.program = load ? "load" : "store";
  if (load) {
    spec.arguments = {array, Role::planes, Role::lists, Role::flags, bytes_of(arguments)};
  } else {
    spec.arguments = {Role::planes, array, Role::lists, bytes_of(arguments)};
  }
  spec.local = {kPlaneGroup, 1, 1};
  launch_ = builder.add(std::move(spec));
}

void Transfer::judge(const Frame& frame, Workspace& work) const {
  ListNumbers& numbers = work.list_numbers;
  lists_.clear(numbers);
  for (std::int64_t n = 0; n < extent_.samples; ++n) {
    Channel* states = frame.channels(value_, n);
    const float* constants = frame.off_values(value_, n);
    for (std::int32_t c = 0; c < extent_.channels; ++c) {
      if (load_) states[c] = Channel::on;
      if (states[c] == Channel::on) {
        lists_.add_kernel(numbers, n, c);
      } else {
        std::memcpy(&numbers[constants_ + n * extent_.channels + c], &constants[c], sizeof(float));
      }
    }
  }
}

void Transfer::enqueue(Workspace& work) const {
  // Planes that are off are written as well, when they become an array.
  const std::int64_t kernels =
      load_ || !changing_ ? lists_.longest(work.list_numbers) : extent_.channels;
  work.launch(launch_, planewise_groups(*plan_.values[value_].plane, kernels, extent_.samples));
}

Transfer::Strides contiguous_strides(const plan::Plan& plan, ValueId value) {
  const plan::Extent e = plan::extent_of(plan.value(value).shape);
  return {e.channels * e.pixels(), e.pixels(), e.width, 1};
}

}  // namespace pdrt::run::device
