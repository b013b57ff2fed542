// Channels that a switch turns off leave a depthwise layer as constants: its bias, through its
// stages. The convolution behind it would have to add these to its bias, image by image, and read
// weights for it. So they are taken off all pixels there instead, and their share is in the bias
// for good: what is off is zero then, and left out.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "plan/plan.h"

namespace pdrt::plan {
namespace {

// What is behind a depthwise layer's bias: a clip, or nothing.
struct Ending {
  const ChainStage* clip = nullptr;
  float low = 0, high = 0;
};

std::optional<Ending> ending_of(const Step& step) {
  Ending ending;
  for (const ChainStage& stage : step.chain) {
    if (ending.clip || stage.value != kAbsent) return std::nullopt;
    if (stage.stage != Stage::relu && stage.stage != Stage::clip) return std::nullopt;
    const bool relu = stage.stage == Stage::relu;
    ending.clip = &stage;
    ending.low = relu ? 0.0f : stage.a;
    ending.high = relu ? std::numeric_limits<float>::infinity() : stage.b;
  }
  return ending;
}

bool fits(const Step& step) {
  const auto* form = std::get_if<ConvolutionForm>(&step.form);
  return form && form->depthwise() && step.outputs.size() == 1 && ending_of(step);
}

// What each kernel makes of an input that is off. Empty: zeros, or no numbers.
std::vector<float> constants_of(const Step& step) {
  const auto& form = std::get<ConvolutionForm>(step.form);
  const Ending ending = *ending_of(step);
  std::vector<float> constants(form.kernels);
  bool all_zero = true;
  for (std::int64_t k = 0; k < form.kernels; ++k) {
    float x = form.bias ? form.bias[k] : 0.0f;
    if (ending.clip) x = std::min(std::max(x, ending.low), ending.high);
    if (!std::isfinite(x)) return {};
    all_zero &= x == 0;
    constants[k] = x;
  }
  return all_zero ? std::vector<float>() : constants;
}

// Makes every kernel's pixels less by its constant, at no cost: what is added to them anyway is
// less, and the bounds of the clip are.
void take_off(Step& step, const std::vector<float>& constants, std::deque<Tensor>& packed) {
  auto& form = std::get<ConvolutionForm>(step.form);
  const std::int64_t kernels = form.kernels;
  const Ending ending = *ending_of(step);
  float* const moved = packed.emplace_back(DType::f32, Shape{kernels}).as<float>();
  std::transform(constants.begin(), constants.end(), moved, std::negate<>());
  ChainStage clip;
  clip.stage = Stage::clip;
  clip.operand = Operand::channel;
  clip.data = moved;
  clip.channel_stride = 1;
  clip.a = ending.low;
  clip.b = ending.high;
  float* const bias = packed.emplace_back(DType::f32, Shape{kernels}).as<float>();
  for (std::int64_t k = 0; k < kernels; ++k) {
    bias[k] = (form.bias ? form.bias[k] : 0.0f) + moved[k];
  }
  form.bias = bias;
  if (ending.clip) step.chain = {clip};
  step.centred = true;
}

// The convolution that alone reads a value, and its padding never; nullptr: there is none.
Step* projection_of(Plan& plan, ValueId id) {
  const int reader = plan.only_reader(id);
  if (reader < 0) return nullptr;
  Step& step = plan.steps[reader];
  const auto* form = std::get_if<ConvolutionForm>(&step.form);
  const bool fits = form && !form->depthwise() && form->reads_inside() && step.inputs[0] == id;
  return fits ? &step : nullptr;
}

// Sums of products, where a constant that is zero counts as zero whatever its weight is.
float sum_of_products(const float* constants, const float* weights, std::int64_t count) {
  float lanes[kLanes] = {};
  const auto add = [&](std::int64_t at, int lane) {
    lanes[lane] += constants[at] == 0 ? 0.0f : constants[at] * weights[at];
  };
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) add(i + lane, lane);
  }
  for (; i < count; ++i) add(i, static_cast<int>(i % kLanes));
  return std::accumulate(lanes, lanes + kLanes, 0.0f);
}

// The bias and what the constants add to it.
const float* with_constants(const ConvolutionForm& form, const std::vector<float>& constants,
                            std::deque<Tensor>& packed) {
  auto* bias = packed.emplace_back(DType::f32, Shape{form.kernels}).as<float>();
  const int taps = form.taps();
  std::vector<float> by_column;  // of the weights
  for (const float x : constants) by_column.insert(by_column.end(), taps, x);
  const std::int64_t columns = form.group_channels() * taps, kernels = form.kernels / form.groups;
  for (std::int64_t k = 0; k < form.kernels; ++k) {
    bias[k] = (form.bias ? form.bias[k] : 0.0f) +
              sum_of_products(by_column.data() + k / kernels * columns, form.weights + k * columns,
                              columns);
  }
  return bias;
}

}  // namespace

void centre_channels(Plan& plan) {
  for (const Step& maker : plan.steps) {
    if (!maker.has_switch()) continue;
    for (Step& step : plan.steps) {
      if (step.inputs.empty() || step.inputs[0] != maker.outputs[0] || !fits(step)) continue;
      const std::vector<float> constants = constants_of(step);
      Step* const reader = constants.empty() ? nullptr : projection_of(plan, step.outputs[0]);
      if (!reader) continue;
      auto& form = std::get<ConvolutionForm>(reader->form);
      form.bias = with_constants(form, constants, plan.packed);
      take_off(step, constants, plan.packed);
      step.notes.push_back("what it makes of channels that are off is in the bias of '" +
                           reader->name + "'");
    }
  }
}

}  // namespace pdrt::plan
