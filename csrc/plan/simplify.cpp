#include <algorithm>

#include "plan/program.h"

namespace pdrt::plan {
namespace {

void replace(Program& program, ValueId from, ValueId to) {
  for (Op& op : program.ops) std::replace(op.inputs.begin(), op.inputs.end(), from, to);
  std::replace(program.outputs.begin(), program.outputs.end(), from, to);
  if (program.values[from].is_output) {
    program.values[from].is_output = false;
    program.values[to].is_output = true;
  }
}

bool broadcasts(std::string_view kind) {
  static constexpr std::string_view kBroadcasting[] = {"Add", "Sub", "Mul",  "Div",
                                                       "Min", "Max", "Where"};
  return std::find(std::begin(kBroadcasting), std::end(kBroadcasting), kind) !=
         std::end(kBroadcasting);
}

// Whether op still has its output shape when input i has `shape` instead: broadcasting does what
// the expand did.
bool same_without(const Program& program, const Op& op, std::size_t expanded, const Shape& shape) {
  const Shape& result = program.values[op.outputs[0]].shape;
  for (std::size_t axis = 0; axis < result.size(); ++axis) {
    std::int64_t dim = 1;
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
      const Shape& input = i == expanded ? shape : program.values[op.inputs[i]].shape;
      const std::size_t missing = result.size() - input.size();
      if (axis >= missing && input[axis - missing] != 1) dim = input[axis - missing];
    }
    if (dim != result[axis]) return false;
  }
  return true;
}

void drop_expands(Program& program) {
  for (const Op& expand : program.ops) {
    if (expand.kind() != "Expand") continue;
    const ValueId source = expand.inputs[0];
    for (Op& user : program.ops) {
      if (!broadcasts(user.kind())) continue;
      for (std::size_t i = 0; i < user.inputs.size(); ++i) {
        if (user.inputs[i] == expand.outputs[0] &&
            same_without(program, user, i, program.values[source].shape)) {
          user.inputs[i] = source;
        }
      }
    }
  }
}

}  // namespace

void count_users(Program& program) {
  std::vector<bool> live(program.ops.size(), false);
  std::vector<bool> wanted(program.values.size(), false);
  for (ValueId output : program.outputs) wanted[output] = true;
  for (std::size_t n = program.ops.size(); n-- > 0;) {
    const Op& op = program.ops[n];
    live[n] = std::any_of(op.outputs.begin(), op.outputs.end(),
                          [&](ValueId v) { return v != kAbsent && wanted[v]; });
    if (!live[n]) continue;
    for (ValueId input : op.inputs) {
      if (input != kAbsent) wanted[input] = true;
    }
  }
  std::vector<Op> kept;
  for (std::size_t n = 0; n < program.ops.size(); ++n) {
    if (live[n]) kept.push_back(std::move(program.ops[n]));
  }
  program.ops = std::move(kept);
  for (Value& value : program.values) {
    value.users.clear();
    value.producer = -1;
  }
  for (std::size_t n = 0; n < program.ops.size(); ++n) {
    for (ValueId input : program.ops[n].inputs) {
      if (input != kAbsent) program.values[input].users.push_back(static_cast<int>(n));
    }
    for (ValueId output : program.ops[n].outputs) {
      if (output != kAbsent) program.values[output].producer = static_cast<int>(n);
    }
  }
}

void simplify(Program& program) {
  for (const Op& op : program.ops) {
    if (op.kind() == "Identity" || op.kind() == "Dropout")
      replace(program, op.outputs[0], op.inputs[0]);
  }
  drop_expands(program);
  count_users(program);
}

}  // namespace pdrt::plan
