// Window pools and global pools.

#include <algorithm>

#include "run/device/plane_step.h"
#include "run/device/planewise.h"
#include "run/pooled_constant.h"

namespace pdrt::run::device {
namespace {

using opencl::uint;

class PoolStep final : public PlaneStep {
 public:
  PoolStep(Builder& builder, std::size_t step, bool changing)
      : PlaneStep(builder, step, changing, 1, 0),
        pool_(std::get<plan::PoolForm>(builder.plan.steps[step].form).pool) {
    if (builder.switched[input()]) builder.switched[output()] = true;  // zeros stay zeros
    opencl::PoolArguments arguments{};
    arguments.in = planes_of(plan_, input());
    arguments.out = planes_of(plan_, output());
    arguments.parts = compute_.parts();
    arguments.maximum = pool_.maximum;
    arguments.count_include_pad = pool_.count_include_pad;
    arguments.kernel_h = pool_.kernel_h;
    arguments.kernel_w = pool_.kernel_w;
    arguments.stride_h = pool_.stride_h;
    arguments.stride_w = pool_.stride_w;
    arguments.dilation_h = pool_.dilation_h;
    arguments.dilation_w = pool_.dilation_w;
    arguments.pad_top = pool_.pad_top;
    arguments.pad_left = pool_.pad_left;
    arguments.pad_bottom = pool_.pad_bottom;
    arguments.pad_right = pool_.pad_right;
    arguments.out_flags = out_flags();
    arguments.out_flags_stride = out_flags_stride();
    arguments.epilogue = builder.constants.epilogue(plan_, this->step());

    LaunchSpec spec;
    spec.program = "pool";
    spec.arguments = {Role::planes, Role::planes, Role::dense, Role::parameters,
                      Role::stages, Role::lists,  Role::flags, bytes_of(arguments)};
    spec.local = {kPlaneGroup, 1, 1};
    main_ = builder.add(std::move(spec));
  }

  std::string name() const override { return "opencl.pool"; }

 protected:
  Verdict settle(const Frame& frame, const Chain& chain, std::int64_t sample,
                 int kernel) const override {
    const float constant = frame.off_values(input(), sample)[kernel];
    if (frame.channels(input(), sample)[kernel] != Channel::on && stays_constant(pool_, constant)) {
      const Verdict verdict = chain.judge_constant(kernel, constant);
      if (verdict.work == Work::constant) return verdict;
    }
    return chain.judge(kernel);
  }

  Groups groups_for(std::int64_t kernels) const override {
    return planewise_groups(*plan_.values[output()].plane, kernels, samples_);
  }

 private:
  const Pool pool_;
};

constexpr int kReduceSize = 64;

// One number for each plane. Those of planes that are constant are the host's to write.
class GlobalPoolStep final : public DeviceStep {
 public:
  GlobalPoolStep(Builder& builder, std::size_t step, bool changing)
      : plan_(builder.plan),
        step_(step),
        changing_(changing),
        extent_(plan::extent_of(plan_.value(input()).shape)),
        lists_(builder, extent_.samples, extent_.channels, 0),
        constants_(builder.reserve(changing ? extent_.samples * extent_.channels : 0)) {
    opencl::GlobalPoolArguments arguments{};
    arguments.in = planes_of(plan_, input());
    arguments.parts = lists_.parts();
    arguments.maximum = std::get<plan::GlobalPoolForm>(plan_.steps[step].form).maximum;
    arguments.channels = static_cast<int>(extent_.channels);
    arguments.out = dense_at(plan_, output());
    LaunchSpec spec;
    spec.program = "global_pool";
    spec.options = " -DREDUCE_SIZE=" + std::to_string(kReduceSize);
    spec.arguments = {Role::planes, Role::dense, Role::lists, bytes_of(arguments)};
    spec.local = {kReduceSize, 1, 1};
    launch_ = builder.add(std::move(spec));
  }

  std::string name() const override { return "opencl.global_pool"; }

  void judge(const Frame& frame, Workspace& work) const override {
    ListNumbers& numbers = work.list_numbers;
    const plan::Step& step = plan_.steps[step_];
    const int channels = static_cast<int>(extent_.channels);
    lists_.clear(numbers);
    for (std::int64_t n = 0; n < extent_.samples; ++n) {
      frame.find_needed(step, n, channels);
      const Channel* states = frame.channels(input(), n);
      const float* constants = frame.off_values(input(), n);
      for (int c = 0; c < channels; ++c) {
        if (work.needed[c] && states[c] == Channel::on) {
          lists_.add_kernel(numbers, n, c);
        } else {
          const float number = work.needed[c] ? constants[c] : 0.0f;
          std::memcpy(&numbers[constants_ + n * channels + c], &number, sizeof number);
        }
      }
    }
  }

  void enqueue(Workspace& work) const override {
    if (changing_) {
      work.send_constants(plan_.values[output()].offset, constants_,
                          extent_.samples * extent_.channels);
    }
    work.launch(launch_, {1, static_cast<std::size_t>(lists_.longest(work.list_numbers)),
                          static_cast<std::size_t>(extent_.samples)});
  }

 private:
  ValueId input() const { return plan_.steps[step_].inputs[0]; }
  ValueId output() const { return plan_.steps[step_].outputs[0]; }

  const plan::Plan& plan_;
  const std::size_t step_;
  const bool changing_;
  const plan::Extent extent_;
  const Lists lists_;
  const uint constants_;
  int launch_ = -1;
};

}  // namespace

std::unique_ptr<DeviceStep> make_pool(Builder& builder, std::size_t step, bool changing) {
  return std::make_unique<PoolStep>(builder, step, changing);
}

std::unique_ptr<DeviceStep> make_global_pool(Builder& builder, std::size_t step, bool changing) {
  return std::make_unique<GlobalPoolStep>(builder, step, changing);
}

}  // namespace pdrt::run::device
