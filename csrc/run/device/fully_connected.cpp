// Fully connected layers: the active rows. Those that are off are the host's to write.

#include "run/chain.h"
#include "run/device/step.h"

namespace pdrt::run::device {
namespace {

using opencl::uint;

constexpr int kLanes = 64;         // work-items of a work-group
constexpr int kSamplesAtOnce = 8;  // that share a row of weights

class FullyConnectedStep final : public DeviceStep {
 public:
  FullyConnectedStep(Builder& builder, std::size_t step, bool changing)
      : plan_(builder.plan),
        step_(step),
        changing_(changing),
        form_(std::get<plan::FullyConnectedForm>(builder.plan.steps[step].form)),
        samples_(plan::extent_of(plan_.value(output()).shape).samples),
        at_once_(changing ? 1 : std::min<std::int64_t>(samples_, kSamplesAtOnce)),
        lists_(builder, samples_, form_.kernels, 0),
        constants_(builder.reserve(changing ? samples_ * form_.kernels : 0)) {
    opencl::FullyConnectedArguments arguments{};
    arguments.samples = static_cast<int>(samples_);
    arguments.kernels = static_cast<int>(form_.kernels);
    arguments.columns = static_cast<int>(form_.columns);
    arguments.in = dense_at(plan_, plan_.steps[step].inputs[0]);
    arguments.out = dense_at(plan_, output());
    arguments.bias = builder.constants.parameters(form_.bias, form_.kernels);
    arguments.parts = lists_.parts();
    arguments.epilogue = builder.constants.epilogue(plan_, plan_.steps[step]);
    LaunchSpec spec;
    spec.program = "fully_connected";
    spec.options = " -DLANES=" + std::to_string(kLanes) + " -DSAMPLES=" + std::to_string(at_once_) +
                   " -DVECTOR=" + std::to_string(form_.columns % 4 == 0 ? 4 : 1);
    const auto as_they_are = [this] {
      return std::vector<float>(form_.weights, form_.weights + form_.kernels * form_.columns);
    };
    spec.arguments = {Role::dense,
                      Role::dense,
                      builder.weights(form_.weights).get(form_.weights, 0, false, as_they_are),
                      Role::parameters,
                      Role::stages,
                      Role::lists,
                      bytes_of(arguments)};
    spec.local = {kLanes, 1, 1};
    launch_ = builder.add(std::move(spec));
  }

  std::string name() const override { return "opencl.fully_connected"; }

  void judge(const Frame& frame, Workspace& work) const override {
    const plan::Step& step = plan_.steps[step_];
    ListNumbers& numbers = work.list_numbers;
    const int kernels = static_cast<int>(form_.kernels);
    lists_.clear(numbers);
    for (std::int64_t n = 0; n < samples_; ++n) {
      const Chain chain(frame, step, n);
      frame.find_needed(step, n, kernels);
      for (int k = 0; k < kernels; ++k) {
        const Verdict verdict = work.needed[k] ? chain.judge(k) : Verdict{Work::nothing, 0.0f};
        if (verdict.work == Work::compute || verdict.work == Work::stages) {
          lists_.add_kernel(numbers, n, k);
        } else {
          std::memcpy(&numbers[constants_ + n * kernels + k], &verdict.constant, sizeof(float));
        }
      }
      const std::int64_t active = lists_.part(numbers, n).kernel_count;
      frame.count(step, n, active, active * form_.columns);
    }
  }

  void enqueue(Workspace& work) const override {
    if (changing_) {
      work.send_constants(plan_.values[output()].offset, constants_, samples_ * form_.kernels);
    }
    work.launch(launch_, {1, static_cast<std::size_t>(lists_.longest(work.list_numbers)),
                          static_cast<std::size_t>((samples_ + at_once_ - 1) / at_once_)});
  }

 private:
  ValueId output() const { return plan_.steps[step_].outputs[0]; }

  const plan::Plan& plan_;
  const std::size_t step_;
  const bool changing_;
  const plan::FullyConnectedForm& form_;
  const std::int64_t samples_, at_once_;
  const Lists lists_;
  const uint constants_;
  int launch_ = -1;
};

}  // namespace

std::unique_ptr<DeviceStep> make_fully_connected(Builder& builder, std::size_t step,
                                                 bool changing) {
  return std::make_unique<FullyConnectedStep>(builder, step, changing);
}

}  // namespace pdrt::run::device
