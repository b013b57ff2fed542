#include "plan/layer.h"

namespace pdrt::plan {

std::optional<Layer> layer_of(const Program& program, const Op& op) {
  if (op.kind() == "Conv") {
    const Shape& weights = program.values[op.inputs[1]].shape;
    const Shape& result = program.values[op.outputs[0]].shape;
    const std::int64_t taps = count_of(Shape(weights.begin() + 2, weights.end()));
    const std::int64_t pixels = count_of(Shape(result.begin() + 2, result.end()));
    return Layer{result[0], weights[0], weights[1], taps * pixels};
  }
  if (op.kind() != "Gemm" && op.kind() != "MatMul") return std::nullopt;
  const Shape& left = program.values[op.inputs[0]].shape;
  const Shape& result = program.values[op.outputs[0]].shape;
  const bool transposed = op.kind() == "Gemm" && op.node->attributes.integer("transA") != 0;
  Layer layer;
  layer.channels = transposed ? left.front() : left.back();
  layer.samples = result.size() < 2 ? 1 : result.front();
  layer.kernels = result.empty() ? 1 : result.back();
  const std::int64_t rows = layer.samples * layer.kernels;
  layer.macs_per_pair = rows == 0 ? 0 : count_of(result) / rows;
  return layer;
}

}  // namespace pdrt::plan
