// Chains of element-wise stages on planes. Constants in, constants out: a channel that is off is
// never touched.

#include "run/chain.h"
#include "run/kernel_lists.h"
#include "run/steps.h"

namespace pdrt::run {
namespace {

void run_sample(const Frame& frame, const plan::Step& step, std::int64_t sample) {
  const ValueId input = step.inputs[0], output = step.outputs[0];
  const int channels = static_cast<int>(frame.extent(output).channels);
  const Plane& plane = *frame.plan.values[output].plane;
  const Chain chain(frame, step, sample);
  frame.find_needed(step, sample, channels);
  const Channel* states = frame.channels(input, sample);
  const float* constants = frame.off_values(input, sample);

  auto one = [&](int k) {
    if (!frame.work.needed[k]) {
      set_constant(frame, output, sample, k, 0.0f);
      return;
    }
    const bool constant_in = states[k] != Channel::on;
    const Verdict verdict = constant_in ? chain.judge_constant(k, constants[k]) : chain.judge(k);
    if (verdict.work == Work::constant) {
      set_constant(frame, output, sample, k, verdict.constant);
      return;
    }
    float* out = frame.plane(output, sample, k);
    const float* in = frame.plane(input, sample, k);
    if (constant_in || verdict.work == Work::stages) {
      frame.engine.fill(out, plane, verdict.work == Work::stages ? 0.0f : constants[k]);
      in = out;
    }
    cpu::EpilogueStage storage[kMaxStages];
    const bool nonzero = frame.engine.apply(chain.for_kernel(k, storage), k, in, out, plane);
    frame.engine.clear_border(out, plane);
    set_written(frame, output, sample, k, nonzero);
  };
  for_each_piece(frame, channels, std::int64_t{1} * channels * plane.flat, one);
}

}  // namespace

void run_elementwise(const Frame& frame, std::size_t step) {
  for (const std::int64_t n : frame.samples(frame.plan.steps[step].outputs[0]))
    run_sample(frame, frame.plan.steps[step], n);
}

}  // namespace pdrt::run
