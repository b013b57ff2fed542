// Steps on dense values, and views.

#include "run/device/dense_programs.h"
#include "run/device/launch_along.h"
#include "run/device/step.h"
#include "run/device/transfer_steps.h"

namespace pdrt::run::device {
namespace {

using opencl::uint;

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

// One launch that is always the same.
class DenseStep final : public DeviceStep {
 public:
  DenseStep(Builder& builder, LaunchSpec spec, const Groups& groups)
      : name_("opencl." + spec.program), groups_(groups), launch_(builder.add(std::move(spec))) {}

  std::string name() const override { return name_; }
  void judge(const Frame&, Workspace&) const override {}
  void enqueue(Workspace& work) const override { work.launch(launch_, groups_); }

 private:
  const std::string name_;
  const Groups groups_;
  const int launch_;
};

std::size_t rounded_up(std::int64_t count, std::size_t size) {
  return (static_cast<std::size_t>(count) + size - 1) / size;
}

const char* type_name(DType dtype) { return dtype == DType::f32 ? "float" : "uchar"; }

// Strides of a contiguous array seen from a result of six dimensions: 0 where it is repeated.
void stretch(const Shape& shape, const Shape& result, int* strides) {
  std::int64_t stride = 1;
  for (std::size_t i = 0; i < 6; ++i) {
    const std::size_t from_end = i + 1;
    const std::int64_t size = from_end <= shape.size() ? shape[shape.size() - from_end] : 1;
    const std::int64_t wanted = from_end <= result.size() ? result[result.size() - from_end] : 1;
    strides[6 - from_end] = size == 1 && wanted != 1 ? 0 : static_cast<int>(stride);
    stride *= size;
  }
}

std::unique_ptr<DeviceStep> make_expression(Builder& builder, const plan::Step& step,
                                            const Expression& expression) {
  constexpr std::size_t kGroup = 64;
  const plan::Plan& plan = builder.plan;
  const plan::Value& output = plan.value(step.outputs[0]);
  opencl::BroadcastArguments arguments{};
  for (std::size_t i = 0; i < 6; ++i) {
    const std::size_t from_end = 6 - i;
    arguments.dims[i] = from_end <= output.shape.size()
                            ? static_cast<int>(output.shape[output.shape.size() - from_end])
                            : 1;
  }
  arguments.out = dense_at(plan, step.outputs[0], size_of(output.dtype));
  arguments.alpha = expression.alpha;
  arguments.beta = expression.beta;
  uint* const places[] = {&arguments.a, &arguments.b, &arguments.c};
  int* const strides[] = {arguments.a_strides, arguments.b_strides, arguments.c_strides};
  LaunchSpec spec;
  spec.program = "broadcast";
  spec.options = " -DEXPRESSION=" + expression.text + " -DOUT_TYPE=" + type_name(output.dtype);
  for (int i = 0; i < 3; ++i) {
    Argument array = Role::dense;
    if (i < expression.operands) {
      const plan::Value& value = plan.value(step.inputs[i]);
      stretch(value.shape, output.shape, strides[i]);
      spec.options += std::string(" -D") + "ABC"[i] + "_TYPE=" + type_name(value.dtype);
      if (value.is_constant()) {
        const auto* numbers = value.constant.as<float>();
        array = builder.weights(numbers).get(numbers, 0, false, [&] {
          return std::vector<float>(numbers, numbers + count_of(value.shape));
        });
      } else {
        *places[i] = dense_at(plan, step.inputs[i], size_of(value.dtype));
      }
    }
    spec.arguments.push_back(array);
  }
  spec.arguments.push_back(Role::dense);
  spec.arguments.push_back(bytes_of(arguments));
  spec.local = {kGroup, 1, 1};
  return std::make_unique<DenseStep>(builder, std::move(spec),
                                     Groups{rounded_up(count_of(output.shape), kGroup), 1, 1});
}

// Many lanes for each number of a result that has few beside each other, else neighbours.
std::unique_ptr<DeviceStep> make_along(Builder& builder, const plan::Step& step,
                                       const std::string& program, const std::string& options,
                                       const Axes& axes) {
  auto [spec, groups] = launch_along(program, options, axes, dense_at(builder.plan, step.inputs[0]),
                                     dense_at(builder.plan, step.outputs[0]));
  return std::make_unique<DenseStep>(builder, std::move(spec), groups);
}

}  // namespace

std::unique_ptr<DeviceStep> make_view(Builder&, std::size_t, bool) {
  return std::make_unique<ViewStep>();
}

std::unique_ptr<DeviceStep> make_reshape(Builder& builder, std::size_t step, bool changing) {
  return std::make_unique<ReshapeStep>(builder, builder.plan.steps[step], changing);
}

std::unique_ptr<DeviceStep> make_broadcast(Builder& builder, std::size_t s, bool) {
  const plan::Step& step = builder.plan.steps[s];
  return make_expression(builder, step, *expression_of(builder.plan, step));
}

std::unique_ptr<DeviceStep> make_reduction(Builder& builder, std::size_t s, bool) {
  const plan::Step& step = builder.plan.steps[s];
  const Reduction reduction = *reduction_of(builder.plan, step);
  return make_along(builder, step, "reduce", " -DOPERATION=" + std::to_string(reduction.operation),
                    reduction.axes);
}

std::unique_ptr<DeviceStep> make_softmax(Builder& builder, std::size_t s, bool) {
  const plan::Step& step = builder.plan.steps[s];
  const SoftmaxOf softmax = *softmax_of(builder.plan, step);
  return make_along(builder, step, "softmax",
                    " -DLOGARITHM=" + std::to_string(softmax.logarithm ? 1 : 0), softmax.axes);
}

}  // namespace pdrt::run::device
