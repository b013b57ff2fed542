#include "plan/movement.h"

#include <algorithm>

#include "plan/geometry.h"

namespace pdrt::plan {
namespace {

using Integers = std::vector<std::int64_t>;

// A stored input as integers, `fallback` where it is absent, nothing where it is computed.
std::optional<Integers> integers(const Program& program, const Op& op, std::size_t input,
                                 Integers fallback) {
  if (input >= op.inputs.size() || op.inputs[input] == kAbsent) return fallback;
  const Value& value = program.values[op.inputs[input]];
  if (!value.is_constant()) return std::nullopt;
  const Tensor list = Tensor::copy_of(value.constant);
  Integers result;
  for (std::int64_t i = 0; i < list.count(); ++i) {
    result.push_back(list.dtype() == DType::i64 ? list.as<std::int64_t>()[i]
                                                : list.as<std::int32_t>()[i]);
  }
  return result;
}

bool is_one_of(std::string_view kind, std::initializer_list<std::string_view> kinds) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

Integers first_axes(std::size_t count) {
  Integers axes(count);
  for (std::size_t i = 0; i < count; ++i) axes[i] = static_cast<std::int64_t>(i);
  return axes;
}

std::optional<ChannelMap> slice(const Program& program, const Op& op, int in, int out) {
  const auto starts = integers(program, op, 1, {});
  if (!starts) return std::nullopt;
  const auto axes = integers(program, op, 3, first_axes(starts->size()));
  const auto steps = integers(program, op, 4, Integers(starts->size(), 1));
  if (!axes || !steps) return std::nullopt;
  const auto rank = static_cast<std::int64_t>(program.values[op.inputs[0]].shape.size());
  ChannelMap map{0, 0, out};
  for (std::size_t i = 0; i < axes->size(); ++i) {
    const std::int64_t axis = (*axes)[i] < 0 ? (*axes)[i] + rank : (*axes)[i];
    if (axis > 1) continue;
    if ((*steps)[i] != 1) return std::nullopt;
    const std::int64_t start = (*starts)[i] < 0 ? (*starts)[i] + in : (*starts)[i];
    if (axis == 1) map.in_begin = static_cast<int>(std::clamp<std::int64_t>(start, 0, in));
  }
  return map;
}

std::optional<ChannelMap> pad(const Program& program, const Op& op, int in, int out) {
  const auto rank = program.values[op.inputs[0]].shape.size();
  const auto pads = integers(program, op, 1, {});
  const auto axes = integers(program, op, 3, first_axes(rank));
  if (!pads || !axes || op.node->attributes.text("mode") != "constant") return std::nullopt;
  ChannelMap map{0, 0, in};
  for (std::size_t i = 0; i < axes->size(); ++i) {
    const auto axis = (*axes)[i] < 0 ? (*axes)[i] + static_cast<std::int64_t>(rank) : (*axes)[i];
    if (axis == 1) map.out_begin = static_cast<int>((*pads)[i]);
  }
  return map.out_begin >= 0 && out >= map.out_begin + in ? std::optional(map) : std::nullopt;
}

}  // namespace

std::optional<ChannelMap> channel_map(const Program& program, const Op& op, std::size_t output) {
  const Shape& from = program.values[op.inputs[0]].shape;
  const Shape& to = program.values[op.outputs[output]].shape;
  if (from.size() < 2 || to.size() != from.size() || from[0] != to[0]) return std::nullopt;
  const auto in = static_cast<int>(from[1]), out = static_cast<int>(to[1]);
  if (op.kind() == "Slice") return slice(program, op, in, out);
  if (op.kind() == "Pad") return pad(program, op, in, out);
  if (op.kind() != "Split") return std::nullopt;
  ChannelMap map{0, 0, out};
  if (in == out) return map;  // along another axis
  for (std::size_t i = 0; i < output; ++i) {
    if (op.outputs[i] == kAbsent) return std::nullopt;
    map.in_begin += static_cast<int>(program.values[op.outputs[i]].shape[1]);
  }
  return map;
}

bool keeps_samples(const Program& program, const Op& op, std::size_t input) {
  const Shape& from = program.values[op.inputs[input]].shape;
  for (ValueId id : op.outputs) {
    if (id == kAbsent) continue;
    const Shape& to = program.values[id].shape;
    if (from.size() < 2 || to.size() < 2 || from[0] != to[0]) return false;
  }
  const std::string_view kind = op.kind();
  if (is_one_of(kind, {"Reshape", "Flatten", "Squeeze", "Unsqueeze"})) return input == 0;
  if (kind == "Transpose") {
    const Integers& order = op.node->attributes.integers("perm");
    return !order.empty() && order.front() == 0;
  }
  if (kind.substr(0, 6) == "Reduce") {
    const auto axes = integers(program, op, 1, {});
    const auto rank = static_cast<std::int64_t>(from.size());
    return input == 0 && axes && !axes->empty() &&
           std::none_of(axes->begin(), axes->end(), [&](auto a) { return a == 0 || a == -rank; });
  }
  if (is_one_of(kind, {"ArgMax", "ArgMin", "Concat", "Gather", "GatherElements", "LogSoftmax",
                       "OneHot", "ScatterElements", "Softmax", "Split", "TopK"})) {
    // Along an axis other than the samples'. Which rank a negative one counts from differs, so take
    // the smaller: it can only err towards the samples.
    const std::int64_t axis = op.node->attributes.integer("axis");
    const Shape& to = program
                          .values[*std::find_if(op.outputs.begin(), op.outputs.end(),
                                                [](ValueId id) { return id != kAbsent; })]
                          .shape;
    const auto rank = static_cast<std::int64_t>(std::min(from.size(), to.size()));
    const bool data =
        input == 0 || is_one_of(kind, {"Concat", "GatherElements", "ScatterElements"});
    return data && (axis > 0 || (axis < 0 && axis + rank > 0));
  }
  return false;
}

}  // namespace pdrt::plan
