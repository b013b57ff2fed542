// Convolutions: the active kernels of each sample over its active input channels.

#include "run/direct.h"
#include "run/folded_constants.h"
#include "run/kernel_lists.h"
#include "run/pooled_means.h"
#include "run/steps.h"

namespace pdrt::run {
namespace {

using plan::ConvolutionForm;

// What a list of kernels has to read: channels to visit, and constants to add once per kernel.
struct Inputs {
  int visited = 0;  // work.input_channels and work.input_planes
  int folded = 0;   // work.folded_channels
};

// Input channels [first, first + count), as pointers to what the taps are relative to. Channels
// that are off with 0 are left out; with another constant they are folded into the bias where no
// tap reads padding, else their plane is written, so that taps see the constant inside and zeros
// around.
Inputs list_inputs(const Frame& frame, const plan::Step& step, std::int64_t sample, int first,
                   int count) {
  const bool can_fold = std::get<ConvolutionForm>(step.form).reads_inside();
  const ValueId input = step.inputs[0];
  const Channel* states = frame.channels(input, sample);
  const float* constants = frame.off_values(input, sample);
  const Frame::Planes planes = frame.planes_to_read(input, sample);
  Workspace& work = frame.work;
  Inputs inputs;
  for (int c = 0; c < count; ++c) {
    const int channel = first + c;
    if (states[channel] != Channel::on) {
      if (constants[channel] == 0.0f) continue;
      if (can_fold) {
        work.folded_channels[inputs.folded++] = c;
        continue;
      }
      frame.materialise(input, sample, channel);
    }
    work.input_channels[inputs.visited] = c;
    work.input_planes[inputs.visited] = planes.data + channel * planes.stride;
    ++inputs.visited;
  }
  return inputs;
}

void run_sample(const Frame& frame, std::size_t s, std::int64_t sample) {
  const plan::Step& step = frame.plan.steps[s];
  const auto& form = std::get<ConvolutionForm>(step.form);
  Workspace& work = frame.work;
  const Chain chain(frame, step, sample);
  const KernelLists lists = list_kernels(frame, step, chain, sample);
  prepare_kernels(frame, step, chain, sample, lists);

  cpu::Convolution task = task_of(frame, s, sample);
  task.epilogue = chain.epilogue();
  const PooledMeans means(frame, step, sample);
  task.lane_sums = means.begin();
  const int group_kernels = static_cast<int>(form.kernels / form.groups),
            group_channels = static_cast<int>(form.group_channels());
  const std::int32_t* end = work.kernels.data() + lists.compute;
  std::int64_t visited = 0;
  for (const std::int32_t* at = work.kernels.data(); at != end; at += task.kernel_count) {
    const int group = *at / group_kernels;
    task.kernels = at;
    task.kernel_count =
        static_cast<int>(std::lower_bound(at, end, (group + 1) * group_kernels) - at);
    const int first = group * group_channels;
    const Inputs inputs = list_inputs(frame, step, sample, first, group_channels);
    task.channels = inputs.visited;
    task.bias = form.bias;
    if (inputs.folded > 0) {
      const float* constants = frame.off_values(step.inputs[0], sample) + first;
      task.bias = fold_constants(frame, task, constants, inputs.folded);
    }
    visited += std::int64_t{1} * task.kernel_count * task.channels;
    const int chosen = cheapest_way(frame.plan, s, task.kernel_count, task.channels);
    way(chosen).run(frame, {s, task, sample}, frame.packed[s * kWays + chosen]);
  }
  // Switched off, but with a residual to come: the stages on zeros.
  task.kernels = work.stage_kernels.data();
  task.kernel_count = lists.stages;
  task.channels = 0;
  task.bias = nullptr;
  direct::run(frame, {s, task, sample}, nullptr);

  finish_kernels(frame, step, sample, lists);
  means.finish();
  frame.count(step, sample, lists.compute, visited);
}

}  // namespace

void run_convolution(const Frame& frame, std::size_t step) {
  for (const std::int64_t n : frame.samples(frame.plan.steps[step].outputs[0]))
    run_sample(frame, step, n);
}

}  // namespace pdrt::run
