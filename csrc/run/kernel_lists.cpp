#include "run/kernel_lists.h"

namespace pdrt::run {

KernelLists list_kernels(const Frame& frame, const plan::Step& step, const Chain& chain,
                         std::int64_t sample) {
  const ValueId output = step.outputs[0];
  const Plane& plane = *frame.plan.values[output].plane;
  const int kernels = static_cast<int>(frame.extent(output).channels);
  Workspace& work = frame.work;
  frame.find_needed(step, sample, kernels);
  KernelLists lists;
  for (int k = 0; k < kernels; ++k) {
    const Verdict verdict = work.needed[k] ? chain.judge(k) : Verdict{Work::nothing, 0.0f};
    if (verdict.work == Work::nothing || verdict.work == Work::constant) {
      set_constant(frame, output, sample, k, verdict.constant);
      continue;
    }
    if (verdict.work == Work::compute) {
      work.kernels[lists.compute++] = k;
    } else {
      work.stage_kernels[lists.stages++] = k;
    }
    chain.materialise_operands(k);
    frame.engine.clear_border(frame.plane(output, sample, k), plane);
    work.nonzero[k] = 0;
  }
  return lists;
}

void finish_kernels(const Frame& frame, const plan::Step& step, std::int64_t sample,
                    const KernelLists& lists) {
  const ValueId output = step.outputs[0];
  for (int i = 0; i < lists.compute; ++i) {
    const int k = frame.work.kernels[i];
    set_written(frame, output, sample, k, frame.work.nonzero[k] != 0);
  }
  for (int i = 0; i < lists.stages; ++i) {
    const int k = frame.work.stage_kernels[i];
    set_written(frame, output, sample, k, frame.work.nonzero[k] != 0);
  }
}

}  // namespace pdrt::run
