#include <algorithm>

#include "plan/geometry.h"
#include "plan/recognise.h"

namespace pdrt::plan {
namespace {

bool is_convolution(const Op& op) { return op.kind() == "Conv"; }
bool is_window_pool(const Op& op) { return op.kind() == "MaxPool" || op.kind() == "AveragePool"; }

bool can_be_planes(const Value& value) {
  return value.dtype == DType::f32 && !value.is_constant() &&
         (value.shape.size() == 3 || value.shape.size() == 4) && count_of(value.shape) > 0;
}

bool elementwise(const Op& op) {
  static constexpr std::string_view kKinds[] = {"Abs",         "Add",       "BatchNormalization",
                                                "Clip",        "Div",       "Exp",
                                                "HardSigmoid", "HardSwish", "LeakyRelu",
                                                "Max",         "Min",       "Mul",
                                                "Neg",         "PRelu",     "Relu",
                                                "Sigmoid",     "Sqrt",      "Sub",
                                                "Tanh"};
  return std::find(std::begin(kKinds), std::end(kKinds), op.kind()) != std::end(kKinds);
}

// A 1x1 convolution of 1x1 maps is a fully connected layer: it stays dense unless its input is
// planes already.
bool is_point(const Program& program, const Op& op) {
  return extent_of(program.values[op.inputs[0]].shape).pixels() == 1 &&
         extent_of(program.values[op.outputs[0]].shape).pixels() == 1;
}

}  // namespace

bool is_global_pool(const Program& program, const Op& op) {
  if (op.kind() == "GlobalAveragePool" || op.kind() == "GlobalMaxPool") return true;
  const bool reduces = op.kind() == "ReduceMean" || op.kind() == "ReduceMax";
  if (!reduces && op.kind() != "AveragePool") return false;
  const Value& input = program.values[op.inputs[0]];
  const Extent map = extent_of(input.shape);
  const std::size_t rank = input.shape.size();
  if (rank != 3 && rank != 4) return false;
  if (reduces) {
    if (op.inputs.size() < 2 || op.inputs[1] == kAbsent ||
        !program.values[op.inputs[1]].is_constant())
      return false;
    const Tensor axes = Tensor::copy_of(program.values[op.inputs[1]].constant);
    std::vector<bool> reduced(rank, false);
    for (std::int64_t i = 0; i < axes.count(); ++i) {
      const std::int64_t axis = axes.as<std::int64_t>()[i];
      reduced[axis < 0 ? axis + rank : axis] = true;
    }
    return !reduced[0] && !reduced[1] &&
           std::all_of(reduced.begin() + 2, reduced.end(), [](bool r) { return r; });
  }
  const auto& kernel = op.node->attributes.integers("kernel_shape");
  const auto& pads = op.node->attributes.integers("pads");
  const bool padded = std::any_of(pads.begin(), pads.end(), [](std::int64_t p) { return p != 0; });
  const bool whole =
      rank == 4 ? kernel[0] == map.height && kernel[1] == map.width : kernel[0] == map.width;
  return whole && !padded && extent_of(program.values[op.outputs[0]].shape).pixels() == 1;
}

std::vector<bool> choose_planes(const Program& program) {
  std::vector<bool> planes(program.values.size(), false);
  std::vector<bool> fixed_dense(program.values.size(),
                                false);  // written by steps that produce dense rows
  auto mark = [&](ValueId id) -> bool {
    if (planes[id] || fixed_dense[id] || !can_be_planes(program.values[id])) return false;
    planes[id] = true;
    return true;
  };
  for (const Op& op : program.ops) {
    if (is_global_pool(program, op)) {
      fixed_dense[op.outputs[0]] = true;
      if (extent_of(program.values[op.inputs[0]].shape).pixels() > 1 && op.kind() != "ReduceMean" &&
          op.kind() != "ReduceMax") {
        mark(op.inputs[0]);
      }
    } else if (is_window_pool(op) || (is_convolution(op) && !is_point(program, op))) {
      mark(op.inputs[0]);
      mark(op.outputs[0]);
    } else if (op.kind() == "BatchNormalization" &&
               extent_of(program.values[op.inputs[0]].shape).pixels() > 1) {
      mark(op.inputs[0]);
      mark(op.outputs[0]);
    }
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (const Op& op : program.ops) {
      const ValueId out = op.outputs[0];
      if (is_convolution(op) && is_point(program, op)) {
        // Both sides planes or both sides dense.
        if (planes[op.inputs[0]] != planes[out]) changed |= mark(planes[out] ? op.inputs[0] : out);
        continue;
      }
      const bool concat = joins_channels(program, op);
      if (!concat && !elementwise(op)) continue;
      // What has the output's map (its channels, too, unless they are joined here) goes the way the
      // others go.
      std::vector<ValueId> alike{out};
      bool possible = can_be_planes(program.values[out]) && !fixed_dense[out];
      const Extent map = extent_of(program.values[out].shape);
      for (ValueId input : op.inputs) {
        if (input == kAbsent || program.values[input].is_constant()) continue;
        const Extent e = extent_of(program.values[input].shape);
        const bool same_map =
            program.values[input].shape.size() == program.values[out].shape.size() &&
            e.height == map.height && e.width == map.width &&
            (map.pixels() > 1 || e.channels == map.channels || concat);
        if (!same_map) continue;
        possible = possible &&
                   (planes[input] || (can_be_planes(program.values[input]) && !fixed_dense[input]));
        alike.push_back(input);
      }
      if (!possible ||
          std::none_of(alike.begin(), alike.end(), [&](ValueId v) { return planes[v]; }))
        continue;
      for (ValueId value : alike) changed |= mark(value);
    }
  }
  return planes;
}

}  // namespace pdrt::plan
