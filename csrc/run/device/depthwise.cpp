// Depthwise convolutions: each active kernel reads one channel.

#include "run/device/plane_step.h"
#include "run/device/planewise.h"

namespace pdrt::run::device {
namespace {

using opencl::uint;
using plan::ConvolutionForm;

constexpr int kStrip = 4;  // pixels of a work-item

// Filters up to this size are unrolled.
constexpr int kUnrolled = 7;

class DepthwiseStep final : public PlaneStep {
 public:
  DepthwiseStep(Builder& builder, std::size_t step, bool changing)
      : PlaneStep(builder, step, changing, 1, 0),
        form_(std::get<ConvolutionForm>(builder.plan.steps[step].form)),
        multiplier_(static_cast<int>(form_.kernels / form_.channels)) {
    opencl::DepthwiseArguments arguments{};
    arguments.in = planes_of(plan_, input());
    arguments.out = planes_of(plan_, output());
    arguments.parts = compute_.parts();
    arguments.multiplier = multiplier_;
    arguments.filter_h = form_.filter_h;
    arguments.filter_w = form_.filter_w;
    arguments.stride_h = form_.stride_h;
    arguments.stride_w = form_.stride_w;
    arguments.dilation_h = form_.dilation_h;
    arguments.dilation_w = form_.dilation_w;
    arguments.pad_top = form_.pad_top;
    arguments.pad_left = form_.pad_left;
    arguments.bias = builder.constants.parameters(form_.bias, form_.kernels);
    arguments.out_flags = out_flags();
    arguments.out_flags_stride = out_flags_stride();
    arguments.epilogue = builder.constants.epilogue(plan_, this->step());

    LaunchSpec spec;
    spec.program = "depthwise";
    const bool unrolled = form_.filter_h <= kUnrolled && form_.filter_w <= kUnrolled;
    const bool fixed_stride = unrolled && form_.stride_w <= 2 && form_.dilation_w == 1;
    spec.options = " -DFILTER_H=" + std::to_string(unrolled ? form_.filter_h : 0) +
                   " -DFILTER_W=" + std::to_string(unrolled ? form_.filter_w : 0) +
                   " -DSTRIDE=" + std::to_string(fixed_stride ? form_.stride_w : 0) +
                   " -DSTRIP=" + std::to_string(kStrip);
    const auto as_they_are = [this] {
      return std::vector<float>(form_.weights, form_.weights + form_.kernels * form_.taps());
    };
    spec.arguments = {Role::planes,
                      Role::planes,
                      Role::dense,
                      builder.weights(form_.weights).get(form_.weights, 0, false, as_they_are),
                      Role::parameters,
                      Role::stages,
                      Role::lists,
                      Role::flags,
                      bytes_of(arguments)};
    spec.local = {kPlaneGroup, 1, 1};
    main_ = builder.add(std::move(spec));
  }

  std::string name() const override { return "opencl.depthwise"; }

  void recount(const Frame& frame, const Workspace& work) const override {
    for (std::int64_t n = 0; lists_on_device_ && n < samples_; ++n) count(frame, work, n);
  }

 protected:
  int channel_of(int kernel) const override { return kernel / multiplier_; }

  // A channel of zeros leaves the bias.
  Verdict settle(const Frame& frame, const Chain& chain, std::int64_t sample,
                 int kernel) const override {
    const int channel = channel_of(kernel);
    if (frame.channels(input(), sample)[channel] != Channel::on &&
        frame.off_values(input(), sample)[channel] == 0.0f) {
      return chain.judge_constant(kernel, form_.bias ? form_.bias[kernel] : 0.0f);
    }
    return chain.judge(kernel);
  }

  void count(const Frame& frame, const Workspace& work, std::int64_t sample) const override {
    const int active = compute_.part(work.list_numbers, sample).kernel_count;
    frame.count(step(), sample, active, active);
  }

  Groups groups_for(std::int64_t kernels) const override {
    const std::int64_t strips = (form_.out_w + kStrip - 1) / kStrip;
    return groups_over(form_.out_h * strips, kernels, samples_);
  }

 private:
  const ConvolutionForm& form_;
  const int multiplier_;
};

}  // namespace

std::unique_ptr<DeviceStep> make_depthwise(Builder& builder, std::size_t step, bool changing) {
  return std::make_unique<DepthwiseStep>(builder, step, changing);
}

}  // namespace pdrt::run::device
