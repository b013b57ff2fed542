// Steps on dense values, and views.

#include "run/device/step.h"
#include "run/device/transfer_steps.h"
#include "run/kernel_lists.h"

namespace pdrt::run::device {
namespace {

// The same elements under another shape, in the same memory.
class ViewStep final : public DeviceStep {
 public:
  std::string name() const override { return "view"; }
  void judge(const Frame&, Workspace&) const override {}
  void enqueue(Workspace&) const override {}
};

// The same elements under another shape, from planes to a dense value or back.
class ReshapeStep final : public DeviceStep {
 public:
  ReshapeStep(Builder& builder, const plan::Step& step, bool changing)
      : transfer_(builder, planes_side(builder.plan, step), loads(builder.plan, step), Role::dense,
                  dense_at(builder.plan, dense_side(builder.plan, step)),
                  contiguous_strides(builder.plan, planes_side(builder.plan, step)), changing),
        loads_(loads(builder.plan, step)) {}

  std::string name() const override { return loads_ ? "opencl.load" : "opencl.store"; }
  void judge(const Frame& frame, Workspace& work) const override { transfer_.judge(frame, work); }
  void enqueue(Workspace& work) const override { transfer_.enqueue(work); }

 private:
  static bool loads(const plan::Plan& plan, const plan::Step& step) {
    return plan.planes[step.outputs[0]];
  }
  static ValueId planes_side(const plan::Plan& plan, const plan::Step& step) {
    return loads(plan, step) ? step.outputs[0] : step.inputs[0];
  }
  static ValueId dense_side(const plan::Plan& plan, const plan::Step& step) {
    return loads(plan, step) ? step.inputs[0] : step.outputs[0];
  }
  Transfer transfer_;
  bool loads_;
};

}  // namespace

std::unique_ptr<DeviceStep> make_view(Builder&, std::size_t, bool) {
  return std::make_unique<ViewStep>();
}

std::unique_ptr<DeviceStep> make_dense(Builder& builder, std::size_t step, bool changing) {
  return std::make_unique<ReshapeStep>(builder, builder.plan.steps[step], changing);
}

}  // namespace pdrt::run::device
