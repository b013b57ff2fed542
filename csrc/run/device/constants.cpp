#include "run/device/constants.h"

#include "plan/geometry.h"

namespace pdrt::run::device {
namespace {

using opencl::uint;
using plan::Extent;
using plan::extent_of;

// The numbers of the stages are written twice, for the two languages.
constexpr bool same(Stage stage, int number) { return static_cast<int>(stage) == number; }
static_assert(same(Stage::add, opencl::STAGE_ADD));
static_assert(same(Stage::subtract, opencl::STAGE_SUBTRACT));
static_assert(same(Stage::reverse_subtract, opencl::STAGE_REVERSE_SUBTRACT));
static_assert(same(Stage::multiply, opencl::STAGE_MULTIPLY));
static_assert(same(Stage::divide, opencl::STAGE_DIVIDE));
static_assert(same(Stage::reverse_divide, opencl::STAGE_REVERSE_DIVIDE));
static_assert(same(Stage::minimum, opencl::STAGE_MINIMUM));
static_assert(same(Stage::maximum, opencl::STAGE_MAXIMUM));
static_assert(same(Stage::affine, opencl::STAGE_AFFINE));
static_assert(same(Stage::prelu, opencl::STAGE_PRELU));
static_assert(same(Stage::greater, opencl::STAGE_GREATER));
static_assert(same(Stage::greater_or_equal, opencl::STAGE_GREATER_OR_EQUAL));
static_assert(same(Stage::less, opencl::STAGE_LESS));
static_assert(same(Stage::less_or_equal, opencl::STAGE_LESS_OR_EQUAL));
static_assert(same(Stage::relu, opencl::STAGE_RELU));
static_assert(same(Stage::leaky_relu, opencl::STAGE_LEAKY_RELU));
static_assert(same(Stage::clip, opencl::STAGE_CLIP));
static_assert(same(Stage::sigmoid, opencl::STAGE_SIGMOID));
static_assert(same(Stage::hard_sigmoid, opencl::STAGE_HARD_SIGMOID));
static_assert(same(Stage::hard_swish, opencl::STAGE_HARD_SWISH));
static_assert(same(Stage::tanh, opencl::STAGE_TANH));
static_assert(same(Stage::silu, opencl::STAGE_SILU));
static_assert(same(Stage::absolute, opencl::STAGE_ABSOLUTE));
static_assert(same(Stage::negate, opencl::STAGE_NEGATE));
static_assert(same(Stage::exponential, opencl::STAGE_EXPONENTIAL));
static_assert(same(Stage::square_root, opencl::STAGE_SQUARE_ROOT));

// How many numbers a stored channel operand has.
std::int64_t stored_numbers(const plan::ChainStage& stage, const Extent& output) {
  return (stage.channel_stride == 0 ? 1 : output.channels) +
         stage.sample_stride * (output.samples - 1);
}

}  // namespace

uint Constants::parameters(const float* data, std::int64_t count) {
  if (data == nullptr) return PDRT_NONE;
  const auto [at, is_new] =
      known_.emplace(std::make_pair(data, count), static_cast<uint>(numbers_.size()));
  if (is_new) numbers_.insert(numbers_.end(), data, data + count);
  return at->second;
}

opencl::Epilogue Constants::epilogue(const plan::Plan& plan, const plan::Step& step) {
  const opencl::Epilogue range{static_cast<int>(stages_.size()),
                               static_cast<int>(step.chain.size())};
  const Extent output = extent_of(plan.value(step.outputs[0]).shape);
  for (const plan::ChainStage& from : step.chain) {
    opencl::StageArguments to{};
    to.stage = static_cast<int>(from.stage);
    to.operand = opencl::OPERAND_NONE;
    to.second = PDRT_NONE;
    to.a = from.a;
    to.b = from.b;
    if (from.operand == Operand::plane) {
      const opencl::Planes planes = planes_of(plan, from.value);
      const Extent e = extent_of(plan.value(from.value).shape);
      to.operand = opencl::OPERAND_PLANE;
      to.base = planes.base;
      to.sample_stride = e.samples == 1 ? 0 : planes.sample_stride;
      to.channel_stride = e.channels == 1 ? 0 : planes.stride;
    } else if (from.operand == Operand::channel) {
      to.operand = from.value == kAbsent ? opencl::OPERAND_PARAMETER : opencl::OPERAND_DENSE;
      to.base = from.value == kAbsent ? parameters(from.data, stored_numbers(from, output))
                                      : dense_at(plan, from.value);
      to.second = parameters(from.data2, stored_numbers(from, output));
      to.sample_stride = static_cast<uint>(from.sample_stride);
      to.channel_stride = static_cast<uint>(from.channel_stride);
    }
    stages_.push_back(to);
  }
  return range;
}

opencl::Planes planes_of(const plan::Plan& plan, ValueId value) {
  const plan::Placement& at = plan.values[value];
  const Plane& plane = *at.plane;
  opencl::Planes planes{};
  planes.base =
      static_cast<uint>(at.offset / sizeof(float) + at.first_channel * plane.stride + plane.lead);
  planes.sample_stride = static_cast<uint>(at.sample_stride);
  planes.stride = static_cast<uint>(plane.stride);
  planes.row = plane.row;
  planes.height = plane.height;
  planes.width = plane.width;
  return planes;
}

uint dense_at(const plan::Plan& plan, ValueId value, std::size_t bytes) {
  return static_cast<uint>(plan.values[value].offset / bytes);
}

std::uint32_t stages_in(const plan::Plan& plan) {
  std::uint32_t bits = 0;
  for (const plan::Step& step : plan.steps) {
    for (const plan::ChainStage& stage : step.chain)
      bits |= std::uint32_t{1} << static_cast<int>(stage.stage);
  }
  return bits;
}

std::size_t bytes_of_dense(const plan::Plan& plan, ValueId id) {
  const plan::Value& value = plan.value(id);
  return static_cast<std::size_t>(count_of(value.shape)) * size_of(value.dtype);
}

}  // namespace pdrt::run::device
