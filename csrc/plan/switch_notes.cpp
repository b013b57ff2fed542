#include "plan/switch_notes.h"

#include <algorithm>

#include "plan/multiplier.h"
#include "plan/recognise.h"

namespace pdrt::plan {
namespace {

// Operators behind which a channel is still the same channel.
bool keeps_channels(const Program& program, const Op& op) {
  static constexpr std::string_view kPools[] = {"AveragePool", "MaxPool"};
  if (op.outputs.size() != 1) return false;
  const bool pool = std::find(std::begin(kPools), std::end(kPools), op.kind()) != std::end(kPools);
  return pool || op.kind() == "BatchNormalization" ||
         (is_pointwise(op.kind()) &&
          program.values[op.outputs[0]].shape == program.values[op.inputs[0]].shape);
}

}  // namespace

std::vector<std::string> unused_multipliers(const Program& program, const std::vector<bool>& planes,
                                            const Step& step, const std::vector<bool>& runs_after,
                                            const Dependence& dependence, const Needs& needs) {
  std::vector<ValueId> used = needs.multipliers(step.need);
  for (const ChainStage& stage : step.chain) {
    if (stage.is_switch) used.push_back(stage.value);
  }
  std::vector<std::string> notes;
  std::vector<bool> seen(program.values.size(), false);
  std::vector<ValueId> pending{step.output()};
  while (!pending.empty()) {
    const ValueId id = pending.back();
    pending.pop_back();
    if (seen[id]) continue;
    seen[id] = true;
    for (int user : program.values[id].users) {
      const Op& op = program.ops[user];
      if (!keeps_channels(program, op)) continue;
      pending.push_back(op.outputs[0]);
      if (op.kind() != "Mul") continue;
      const auto factor = multiplier_of(program, planes, op, op.inputs[0] == id ? 1 : 0);
      if (!factor || std::find(used.begin(), used.end(), factor->value) != used.end()) continue;
      const Value& value = program.values[factor->value];
      const bool own = value.producer >= 0 && runs_after[dependence.group_of(value.producer)];
      notes.push_back("multiplier '" + value.name + "' of node '" + op.name() +
                      "' does not switch this step: it is " +
                      (own ? "computed from this step's own output"
                           : "not the only use, and another use needs every channel"));
    }
  }
  return notes;
}

}  // namespace pdrt::plan
