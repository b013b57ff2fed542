#include "plan/multiplier.h"

#include <algorithm>

#include "plan/geometry.h"

namespace pdrt::plan {
namespace {

bool has_zero(const TensorView& constant) {
  if (!constant.contiguous()) return false;
  const float* data = constant.as<float>();
  return std::any_of(data, data + constant.count(), [](float x) { return x == 0.0f; });
}

}  // namespace

std::optional<Multiplier> multiplier_of(const Program& program, const std::vector<bool>& planes,
                                        const Op& mul, std::size_t input) {
  const ValueId id = mul.inputs[input];
  const Value& value = program.values[id];
  const Shape& result = program.values[mul.outputs[0]].shape;
  if (value.dtype != DType::f32 || planes[id] || result.size() < 2) return std::nullopt;
  if (value.is_constant() && !has_zero(value.constant)) return std::nullopt;
  const Extent e = extent_of(at_rank(value.shape, result.size())), out = extent_of(result);
  if (e.pixels() != 1 || (e.channels != 1 && e.channels != out.channels)) return std::nullopt;
  return Multiplier{id, e.samples == 1 ? 0 : e.channels, e.channels == 1 ? 0 : 1};
}

}  // namespace pdrt::plan
