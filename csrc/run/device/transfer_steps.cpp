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
  arguments_.planes = planes_of(plan_, value);
  arguments_.array = first;
  arguments_.sample_stride = static_cast<uint>(strides[0]);
  arguments_.channel_stride = static_cast<uint>(strides[1]);
  arguments_.row_stride = static_cast<uint>(strides[2]);
  arguments_.pixel_stride = static_cast<uint>(strides[3]);
  arguments_.samples = static_cast<int>(extent_.samples);
  arguments_.channels = static_cast<int>(extent_.channels);
  arguments_.parts = lists_.parts();
  arguments_.constants = changing ? constants_ : PDRT_NONE;
  arguments_.out_flags = static_cast<uint>(at.state);
  arguments_.out_flags_stride = static_cast<uint>(at.state_stride);
  LaunchSpec spec;
  spec.program = load ? "load" : "store";
  if (load) {
    spec.arguments = {array, Role::planes, Role::lists, Role::flags, bytes_of(arguments_)};
  } else {
    spec.arguments = {Role::planes, array, Role::lists, bytes_of(arguments_)};
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

void Transfer::enqueue_with(Workspace& work, const opencl::Buffer& array, uint first,
                            const Strides& strides) const {
  opencl::TransferArguments elsewhere = arguments_;
  elsewhere.array = first;
  elsewhere.sample_stride = static_cast<uint>(strides[0]);
  elsewhere.channel_stride = static_cast<uint>(strides[1]);
  elsewhere.row_stride = static_cast<uint>(strides[2]);
  elsewhere.pixel_stride = static_cast<uint>(strides[3]);
  const int place = load_ ? 0 : 1, last = load_ ? 4 : 3;
  work.kernel(launch_).set(place, array);
  work.kernel(launch_).set(last, elsewhere);
  enqueue(work);
  work.kernel(launch_).set(place, work.arrays);
  work.kernel(launch_).set(last, arguments_);
}

Transfer::Strides strides_of(const TensorView& view) {
  const auto* strides = view.strides.data();
  return {strides[0], strides[1], view.rank == 4 ? strides[2] : 0, strides[view.rank - 1]};
}

Transfer::Strides contiguous_strides(const plan::Plan& plan, ValueId value) {
  const plan::Extent e = plan::extent_of(plan.value(value).shape);
  return {e.channels * e.pixels(), e.pixels(), e.width, 1};
}

}  // namespace pdrt::run::device
