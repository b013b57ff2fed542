#include "run/ways.h"

#include "run/direct.h"
#include "run/strided_winograd.h"
#include "run/winograd.h"
#include "run/winograd_in_lanes.h"
#include "run/winograd_of_active.h"

namespace pdrt::run {
namespace {

constexpr Way kTable[kWays] = {
    {"planes.convolution", direct::parameter, direct::possible, direct::cost, direct::pack,
     direct::run},
    {"planes.winograd", winograd::parameter, winograd::possible, winograd::cost, winograd::pack,
     winograd::run},
    {"planes.winograd_in_lanes", winograd::parameter, winograd_in_lanes::possible, winograd::cost,
     winograd_in_lanes::pack, winograd_in_lanes::run},
    {"planes.winograd_of_active", winograd::parameter, winograd_of_active::possible,
     winograd_of_active::cost, winograd_of_active::pack, winograd_of_active::run},
    {"planes.strided_winograd", strided_winograd::parameter, strided_winograd::possible,
     strided_winograd::cost, strided_winograd::pack, strided_winograd::run},
};

}  // namespace

cpu::Convolution task_of(const Frame& frame, std::size_t step, std::int64_t sample) {
  const auto& form = std::get<plan::ConvolutionForm>(frame.plan.steps[step].form);
  const ValueId output = frame.plan.steps[step].outputs[0];
  cpu::Convolution task;
  task.inputs = frame.work.input_planes.data();
  task.channel = frame.work.input_channels.data();
  task.offsets = frame.plan.convolutions[step].taps.offsets.data();
  task.taps = form.taps();
  task.weights = form.weights;
  task.weights_row = form.columns();
  task.output = frame.plane(output, sample, 0);
  task.plane = frame.plan.values[output].plane;
  task.nonzero = frame.work.nonzero.data();
  return task;
}

std::string name_of_way(const plan::Plan& plan, std::size_t step, int index) {
  const std::string parameter = kTable[index].parameter(plan, step);
  return std::string(kTable[index].name) + (parameter.empty() ? "" : " ") + parameter;
}

const Way& way(int index) { return kTable[index]; }

int cheapest_way(const plan::Plan& plan, std::size_t step, std::int64_t kernels,
                 std::int64_t channels) {
  int best = -1;
  double least = 0;
  for (int index = 0; index < kWays; ++index) {
    if (!kTable[index].possible(plan, step)) continue;
    const double cost = kTable[index].cost(plan, step, kernels, channels);
    if (best < 0 || cost < least) {
      best = index;
      least = cost;
    }
  }
  return best;
}

}  // namespace pdrt::run
