#include "run/folded_constants.h"

#include "plan/geometry.h"

namespace pdrt::run {

std::size_t folded_columns(const plan::Plan& plan) {
  std::int32_t most = 0;
  for (const plan::Step& step : plan.steps) {
    const auto* form = std::get_if<plan::ConvolutionForm>(&step.form);
    if (!form || form->depthwise() || !form->reads_inside()) continue;
    most = std::max(most, plan::whole_lanes(form->columns()));
  }
  return static_cast<std::size_t>(most);
}

const float* fold_constants(const Frame& frame, const cpu::Convolution& task,
                            const float* constants, int folded) {
  Workspace& work = frame.work;
  cpu::FullyConnected sum;  // of the folded columns alone
  sum.input = work.folded_inputs.data();
  sum.mask = work.folded_mask.data();
  sum.columns = static_cast<std::int32_t>(task.weights_row);
  sum.blocks = work.folded_blocks.data();
  sum.weights = task.weights;
  sum.bias = task.bias;
  sum.kernels = task.kernels;
  sum.kernel_count = task.kernel_count;
  sum.output = work.bias.data();
  int end = 0;  // blocks before this one are cleared, where they are listed
  for (int f = 0; f < folded; ++f) {
    const int channel = work.folded_channels[f], first = channel * task.taps,
              behind = first + task.taps;
    for (int block = std::max(end, first / kLanes); block * kLanes < behind; ++block) {
      work.folded_blocks[sum.block_count++] = block;
      std::fill_n(work.folded_inputs.begin() + block * kLanes, kLanes, 0.0f);
      std::fill_n(work.folded_mask.begin() + block * kLanes, kLanes, 0u);
      end = block + 1;
    }
    std::fill_n(work.folded_inputs.begin() + first, task.taps, constants[channel]);
    std::fill_n(work.folded_mask.begin() + first, task.taps, ~0u);
  }
  const std::int64_t macs = std::int64_t{1} * sum.kernel_count * sum.block_count * kLanes;
  for_each_tile(frame, sum.kernel_count, 1, macs, [&](int first, int last, int, int) {
    frame.engine.fully_connected(sum, first, last);
  });
  return work.bias.data();
}

}  // namespace pdrt::run
