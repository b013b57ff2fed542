// Chains of stages on planes. Constants in, constants out.

#include "run/device/plane_step.h"
#include "run/device/planewise.h"

namespace pdrt::run::device {
namespace {

class ElementwiseStep final : public PlaneStep {
 public:
  ElementwiseStep(Builder& builder, std::size_t step, bool changing)
      : PlaneStep(builder, step, changing, 1, 0) {
    opencl::ElementwiseArguments arguments{};
    arguments.in = planes_of(plan_, input());
    arguments.out = planes_of(plan_, output());
    arguments.parts = compute_.parts();
    arguments.out_flags = out_flags();
    arguments.out_flags_stride = out_flags_stride();
    arguments.epilogue = builder.constants.epilogue(plan_, this->step());
    main_ = add_elementwise(builder, arguments);
  }

  std::string name() const override { return "opencl.elementwise"; }

 protected:
  Verdict settle(const Frame& frame, const Chain& chain, std::int64_t sample,
                 int kernel) const override {
    return frame.channels(input(), sample)[kernel] == Channel::on
               ? chain.judge(kernel)
               : chain.judge_constant(kernel, frame.off_values(input(), sample)[kernel]);
  }

  Groups groups_for(std::int64_t kernels) const override {
    return planewise_groups(*plan_.values[output()].plane, kernels, samples_, kElementwisePixels);
  }
};

}  // namespace

std::unique_ptr<DeviceStep> make_elementwise(Builder& builder, std::size_t step, bool changing) {
  return std::make_unique<ElementwiseStep>(builder, step, changing);
}

}  // namespace pdrt::run::device
