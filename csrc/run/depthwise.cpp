// Depthwise convolutions: each kernel reads one input channel where it lies, so a channel that is
// off costs nothing at all.

#include "run/depthwise.h"

#include "run/kernel_lists.h"
#include "run/steps.h"

namespace pdrt::run {
namespace {

// Every multiply-add of a depthwise layer loads a pixel and takes the time of so many others.
constexpr int kSlower = 6;

// The kernel's plane as a constant, where its input, which is off, is zero everywhere: bias, then
// the chain.
bool settle_zero_input(const Frame& frame, const plan::Step& step, const Chain& chain,
                       std::int64_t sample, int kernel) {
  const auto& form = std::get<plan::ConvolutionForm>(step.form);
  const Verdict verdict = chain.judge_constant(kernel, form.bias ? form.bias[kernel] : 0.0f);
  if (verdict.work != Work::constant) return false;
  set_constant(frame, step.outputs[0], sample, kernel, verdict.constant);
  return true;
}

// The same for the first `count` kernels of work.stage_kernels at once, where no stage reads
// planes: a fully connected layer without inputs.
void settle_zero_inputs(const Frame& frame, const plan::Step& step, const Chain& chain,
                        std::int64_t sample, int count) {
  const auto& form = std::get<plan::ConvolutionForm>(step.form);
  Workspace& work = frame.work;
  if (step.centred) {
    for (int i = 0; i < count; ++i) {
      set_constant(frame, step.outputs[0], sample, work.stage_kernels[i], 0.0f);
    }
    return;
  }
  cpu::FullyConnected bias;  // of no inputs at all
  bias.bias = form.bias;
  bias.kernels = work.stage_kernels.data();
  bias.kernel_count = count;
  bias.output = frame.off_values(step.outputs[0], sample);
  bias.epilogue = chain.epilogue();
  frame.engine.fully_connected(bias, 0, count);
  Channel* states = frame.channels(step.outputs[0], sample);
  for (int i = 0; i < count; ++i) states[work.stage_kernels[i]] = Channel::off;
}

// The kernels of both lists: those to compute from work.input_planes, the others of no input.
void compute(const Frame& frame, const plan::Step& step, const Chain& chain, std::int64_t sample,
             const KernelLists& lists) {
  Workspace& work = frame.work;
  cpu::Depthwise task = depthwise_task(frame, step, chain, sample);
  task.inputs = work.input_planes.data();
  task.in_plane = frame.plan.values[step.inputs[0]].plane;
  task.kernels = work.kernels.data();
  task.kernel_count = lists.compute;
  task.nonzero = work.nonzero.data();
  for_each_tile(frame, lists.compute, 1, kSlower * lists.compute * step.layer->macs_per_pair,
                [&](int first, int last, int, int) { frame.engine.depthwise(task, first, last); });

  if (lists.stages > 0) {  // a zero plane through the stages: a convolution without inputs
    cpu::Convolution rest;
    rest.output = task.output;
    rest.plane = task.plane;
    rest.epilogue = task.epilogue;
    rest.nonzero = task.nonzero;
    rest.kernels = work.stage_kernels.data();
    rest.kernel_count = lists.stages;
    frame.engine.convolve(rest, 0, lists.stages, 0, task.plane->flat);
  }
}

void run_sample(const Frame& frame, const plan::Step& step, std::int64_t sample) {
  const auto& form = std::get<plan::ConvolutionForm>(step.form);
  const ValueId input = step.inputs[0], output = step.outputs[0];
  Workspace& work = frame.work;
  const Chain chain(frame, step, sample);
  KernelLists lists = list_kernels(frame, step, chain, sample);
  const int multiplier = static_cast<int>(form.kernels / form.channels);

  const Channel* states = frame.channels(input, sample);
  const float* constants = frame.off_values(input, sample);
  const float* const planes = frame.plane(input, sample, 0);
  const std::int64_t stride = frame.plan.values[input].plane->stride;
  const bool settle_at_once = chain.is_of_numbers();  // then no kernel runs its stages alone
  int kept = 0, settled = 0;
  for (int i = 0; i < lists.compute; ++i) {
    const int k = work.kernels[i], channel = multiplier == 1 ? k : k / multiplier;
    if (states[channel] != Channel::on) {
      if (constants[channel] == 0.0f && settle_at_once) {
        work.stage_kernels[settled++] = k;
        continue;
      }
      if (constants[channel] == 0.0f && settle_zero_input(frame, step, chain, sample, k)) continue;
      frame.materialise(input, sample, channel);
    }
    work.kernels[kept] = k;
    work.input_planes[kept] = planes + channel * stride;
    ++kept;
  }
  lists.compute = kept;
  if (settled > 0) settle_zero_inputs(frame, step, chain, sample, settled);
  prepare_kernels(frame, step, chain, sample, lists);

  if (frame.plan.done_in_strips(&step - frame.plan.steps.data())) {
    const std::uint8_t* nonzero = frame.strip_nonzero(output, sample);
    for (int i = 0; i < lists.compute; ++i)
      work.nonzero[work.kernels[i]] = nonzero[work.kernels[i]];
  } else {
    compute(frame, step, chain, sample, lists);
  }
  finish_kernels(frame, step, sample, lists);
  frame.count(step, sample, lists.compute, lists.compute);
}

}  // namespace

cpu::Depthwise depthwise_task(const Frame& frame, const plan::Step& step, const Chain& chain,
                              std::int64_t sample) {
  const auto& form = std::get<plan::ConvolutionForm>(step.form);
  cpu::Depthwise task;
  task.window = form.window();
  task.weights = form.weights;
  task.bias = form.bias;
  task.output = frame.plane(step.outputs[0], sample, 0);
  task.plane = frame.plan.values[step.outputs[0]].plane;
  task.epilogue = chain.epilogue();
  return task;
}

void run_depthwise(const Frame& frame, std::size_t step) {
  for (const std::int64_t n : frame.samples(frame.plan.steps[step].outputs[0]))
    run_sample(frame, frame.plan.steps[step], n);
}

}  // namespace pdrt::run
