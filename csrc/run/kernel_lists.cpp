#include "run/kernel_lists.h"

namespace pdrt::run {

KernelLists list_kernels(const Frame& frame, const plan::Step& step, const Chain& chain,
                         std::int64_t sample) {
  const ValueId output = step.outputs[0];
  const int kernels = static_cast<int>(frame.extent(output).channels);
  Workspace& work = frame.work;
  frame.find_needed(step, sample, kernels);
  // In locals: what is stored below could be anything's, as far as the compiler knows.
  const std::uint8_t* needed = work.needed.data();
  std::int32_t* compute = work.kernels.data();
  std::int32_t* stages = work.stage_kernels.data();
  Channel* states = frame.channels(output, sample);
  float* constants = frame.off_values(output, sample);
  KernelLists lists;
  // Most steps: nothing to judge.
  const bool all = !chain.has_switches() && (!frame.skip || step.need == plan::kNeedAll);
  for (; all && lists.compute < kernels; ++lists.compute) compute[lists.compute] = lists.compute;
  for (int k = lists.compute; k < kernels; ++k) {
    const Verdict verdict = needed[k] ? chain.judge(k) : Verdict{Work::nothing, 0.0f};
    if (verdict.work == Work::compute) {
      compute[lists.compute++] = k;
    } else if (verdict.work == Work::stages) {
      stages[lists.stages++] = k;
    } else {
      states[k] = Channel::off;
      constants[k] = verdict.constant;
    }
  }
  return lists;
}

void prepare_kernels(const Frame& frame, const plan::Step& step, const Chain& chain,
                     std::int64_t sample, const KernelLists& lists) {
  const plan::Placement& placement = frame.plan.values[step.outputs[0]];
  float* planes = frame.plane(step.outputs[0], sample, 0);
  const auto prepare = [&](const std::vector<std::int32_t>& list, int count) {
    if (!placement.in_passing)
      frame.engine.clear_borders(planes, *placement.plane, list.data(), count);
    for (int i = 0; i < count; ++i) frame.work.nonzero[list[i]] = 0;
    for (int i = 0; i < count && chain.has_planes(); ++i) chain.materialise_operands(list[i]);
  };
  prepare(frame.work.kernels, lists.compute);
  prepare(frame.work.stage_kernels, lists.stages);
}

void finish_kernels(const Frame& frame, const plan::Step& step, std::int64_t sample,
                    const KernelLists& lists) {
  Channel* states = frame.channels(step.outputs[0], sample);
  float* constants = frame.off_values(step.outputs[0], sample);
  const std::uint8_t* nonzero = frame.work.nonzero.data();
  const bool skip = frame.skip;
  const auto note = [&](const std::int32_t* list, int count) {
    for (int i = 0; i < count; ++i) {
      const int k = list[i];
      states[k] = nonzero[k] != 0 || !skip ? Channel::on : Channel::off;
      constants[k] = 0.0f;
    }
  };
  note(frame.work.kernels.data(), lists.compute);
  note(frame.work.stage_kernels.data(), lists.stages);
}

}  // namespace pdrt::run
