// Concatenation of channels: inputs that were written in place cost nothing, the others' active
// planes are copied.

#include "run/device/planewise.h"
#include "run/device/step.h"
#include "run/kernel_lists.h"

namespace pdrt::run::device {
namespace {

class ConcatStep final : public DeviceStep {
 public:
  ConcatStep(Builder& builder, std::size_t step) : plan_(builder.plan), step_(step) {
    const ValueId output = plan_.steps[step].outputs[0];
    const plan::Placement& to = plan_.values[output];
    std::int64_t first = 0;
    for (ValueId input : plan_.steps[step].inputs) {
      const plan::Extent e = plan::extent_of(plan_.value(input).shape);
      const plan::Placement& from = plan_.values[input];
      if (builder.switched[input]) builder.switched[output] = true;
      if (from.root != to.root || from.first_channel != to.first_channel + first) {
        Copy copy;
        copy.input = input;
        copy.first = first;
        copy.extent = e;
        copy.lists = Lists(builder, e.samples, e.channels, 0);
        opencl::ElementwiseArguments arguments{};
        arguments.in = planes_of(plan_, input);
        arguments.out = planes_of(plan_, output);
        arguments.out.base += static_cast<opencl::uint>(first * to.plane->stride);
        arguments.parts = copy.lists.parts();
        arguments.out_flags = static_cast<opencl::uint>(to.state + first);
        arguments.out_flags_stride = static_cast<opencl::uint>(to.state_stride);
        copy.launch = add_elementwise(builder, arguments);
        copies_.push_back(copy);
      }
      first += e.channels;
    }
  }

  std::string name() const override { return "opencl.concat"; }

  void judge(const Frame& frame, Workspace& work) const override {
    const ValueId output = plan_.steps[step_].outputs[0];
    for (const Copy& copy : copies_) {
      copy.lists.clear(work.list_numbers);
      for (std::int64_t n = 0; n < copy.extent.samples; ++n) {
        for (std::int32_t c = 0; c < copy.extent.channels; ++c) {
          const int k = static_cast<int>(copy.first) + c;
          if (frame.channels(copy.input, n)[c] != Channel::on) {
            set_constant(frame, output, n, k, frame.off_values(copy.input, n)[c]);
            continue;
          }
          copy.lists.add_kernel(work.list_numbers, n, c);
          set_written(frame, output, n, k, true);
        }
      }
    }
  }

  void enqueue(Workspace& work) const override {
    const Plane& plane = *plan_.values[plan_.steps[step_].outputs[0]].plane;
    for (const Copy& copy : copies_) {
      work.launch(copy.launch, planewise_groups(plane, copy.lists.longest(work.list_numbers),
                                                copy.extent.samples, kElementwisePixels));
    }
  }

 private:
  struct Copy {
    ValueId input = kAbsent;
    std::int64_t first = 0;  // channel of the output
    plan::Extent extent;
    Lists lists;
    int launch = -1;
  };
  const plan::Plan& plan_;
  const std::size_t step_;
  std::vector<Copy> copies_;
};

}  // namespace

std::unique_ptr<DeviceStep> make_concat(Builder& builder, std::size_t step, bool) {
  return std::make_unique<ConcatStep>(builder, step);
}

}  // namespace pdrt::run::device
