#include <algorithm>
#include <map>
#include <utility>

#include "plan/layer.h"
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

// Whether every output `op` has is one of `first`, too.
bool has_outputs_of(const Op& first, const Op& op) {
  if (first.outputs.size() != op.outputs.size()) return false;
  for (std::size_t i = 0; i < op.outputs.size(); ++i) {
    if (op.outputs[i] != kAbsent && first.outputs[i] == kAbsent) return false;
  }
  return true;
}

// Ops that compute the same from the same become one: gates that read one value pool it once.
// Layers stay, since each is reported under its own name.
void merge_equal(Program& program) {
  std::map<std::pair<std::string_view, std::vector<ValueId>>, std::vector<const Op*>> seen;
  for (const Op& op : program.ops) {
    if (layer_of(program, op)) continue;
    std::vector<const Op*>& alike = seen[{op.kind(), op.inputs}];
    const auto first = std::find_if(alike.begin(), alike.end(), [&](const Op* other) {
      return other->node->attributes.all() == op.node->attributes.all() &&
             has_outputs_of(*other, op);
    });
    if (first == alike.end()) {
      alike.push_back(&op);
      continue;
    }
    for (std::size_t i = 0; i < op.outputs.size(); ++i) {
      if (op.outputs[i] != kAbsent) replace(program, op.outputs[i], (*first)->outputs[i]);
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
  merge_equal(program);
  count_users(program);
}

}  // namespace pdrt::plan
