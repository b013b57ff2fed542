// Convolutions: the active kernels of each sample over its active input channels.

#include "run/chain.h"
#include "run/kernel_lists.h"
#include "run/steps.h"

namespace pdrt::run {
namespace {

using plan::ConvolutionForm;

// Input channels [first, first + count) that have to be visited, as pointers to what the taps are
// relative to.
int gather_inputs(const Frame& frame, std::size_t s, std::int64_t sample, int first, int count) {
  const plan::Step& step = frame.plan.steps[s];
  const plan::ConvolutionPlan& own = frame.plan.convolutions[s];
  const ValueId input = step.inputs[0];
  const Channel* states = frame.channels(input, sample);
  const float* constants = frame.off_values(input, sample);
  Workspace& work = frame.work;
  int visited = 0;
  for (int c = 0; c < count; ++c) {
    const int channel = first + c;
    if (states[channel] == Channel::off) {
      if (constants[channel] == 0.0f) continue;
      frame.materialise(input, sample,
                        channel);  // not zero: its taps see the constant, and zeros in the padding
    }
    work.input_channels[visited] = c;
    work.input_planes[visited] = frame.plane(input, sample, channel);
    ++visited;
  }
  if (own.taps.direct) return visited;

  Phases phases = own.taps.phases;
  phases.phases = own.taps.phase_list.data();
  float* scratch = reinterpret_cast<float*>(work.arena() + own.scratch);
  const std::int64_t floats = own.taps.floats_per_channel();
  const Plane& plane = *frame.plan.values[input].plane;
  auto split = [&](int i) {
    frame.engine.split(phases, work.input_planes[i], plane, scratch + i * floats + phases.lead);
  };
  if (visited * std::int64_t{plane.flat} < kParallelMacs) {
    for (int i = 0; i < visited; ++i) split(i);
  } else {
    cpu::parallel_for(visited, frame.threads, split);
  }
  for (int i = 0; i < visited; ++i) work.input_planes[i] = scratch + i * floats + phases.lead;
  return visited;
}

void run_sample(const Frame& frame, std::size_t s, std::int64_t sample) {
  const plan::Step& step = frame.plan.steps[s];
  const auto& form = std::get<ConvolutionForm>(step.form);
  const plan::Taps& taps = frame.plan.convolutions[s].taps;
  const ValueId output = step.outputs[0];
  Workspace& work = frame.work;
  const Chain chain(frame, step, sample);
  const KernelLists lists = list_kernels(frame, step, chain, sample);

  cpu::Convolution task;
  task.inputs = work.input_planes.data();
  task.channel = work.input_channels.data();
  task.offsets = taps.offsets.data();
  task.taps = form.taps();
  task.weights = form.weights;
  task.weights_row = form.group_channels() * form.taps();
  task.bias = form.bias;
  task.output = frame.plane(output, sample, 0);
  task.plane = frame.plan.values[output].plane;
  task.epilogue = chain.epilogue();
  task.nonzero = work.nonzero.data();
  auto launch = [&] {
    for_each_tile(frame, task.kernel_count, task.plane->flat,
                  task.kernel_count * step.layer->macs_per_pair * std::max(1, task.channels),
                  [&](int first, int last, int begin, int end) {
                    frame.engine.convolve(task, first, last, begin, end);
                  });
  };

  const int group_kernels = static_cast<int>(form.kernels / form.groups),
            group_channels = static_cast<int>(form.group_channels());
  const std::int32_t* end = work.kernels.data() + lists.compute;
  std::int64_t visited = 0;
  for (const std::int32_t* at = work.kernels.data(); at != end; at += task.kernel_count) {
    const int group = *at / group_kernels;
    task.kernels = at;
    task.kernel_count =
        static_cast<int>(std::lower_bound(at, end, (group + 1) * group_kernels) - at);
    task.channels = gather_inputs(frame, s, sample, group * group_channels, group_channels);
    visited += std::int64_t{1} * task.kernel_count * task.channels;
    launch();
  }
  // Switched off, but with a residual to come: the stages on zeros.
  task.kernels = work.stage_kernels.data();
  task.kernel_count = lists.stages;
  task.channels = 0;
  task.bias = nullptr;
  launch();

  finish_kernels(frame, step, sample, lists);
  frame.count(step, sample, lists.compute, visited);
}

}  // namespace

void run_convolution(const Frame& frame, std::size_t step) {
  const std::int64_t samples = frame.extent(frame.plan.steps[step].outputs[0]).samples;
  for (std::int64_t n = 0; n < samples; ++n) run_sample(frame, step, n);
}

}  // namespace pdrt::run
