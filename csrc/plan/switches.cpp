#include "plan/switches.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "plan/geometry.h"
#include "plan/movement.h"
#include "plan/multiplier.h"
#include "plan/recognise.h"
#include "plan/switch_notes.h"

namespace pdrt::plan {
namespace {

// The expressions for one step. Which multipliers count depends on the step: they must not depend
// on its own output.
class NeedOf {
 public:
  NeedOf(const Program& program, const std::vector<bool>& planes, const Dependence& dependence,
         Needs& needs, int group)
      : program_(program),
        planes_(planes),
        dependence_(dependence),
        needs_(needs),
        after_(dependence.after(group)) {}

  NeedId value(ValueId id) {
    const Value& value = program_.values[id];
    if (value.is_output) return kNeedAll;
    const auto known = known_.find(id);
    if (known != known_.end()) return known->second;
    NeedId result = kNeedNone;
    std::vector<int> seen;
    for (int user : value.users) {
      if (result == kNeedAll) break;
      if (std::find(seen.begin(), seen.end(), user) != seen.end()) continue;
      seen.push_back(user);
      const Op& op = program_.ops[user];
      for (std::size_t i = 0; i < op.inputs.size(); ++i) {
        if (op.inputs[i] == id) result = needs_.either(result, use(op, i), channels(id));
      }
    }
    return known_[id] = result;
  }

  // By group: what can only run after the step.
  const std::vector<bool>& after() const { return after_; }

 private:
  Extent extent(ValueId id) const { return extent_of(program_.values[id].shape); }
  int channels(ValueId id) const { return static_cast<int>(extent(id).channels); }

  NeedId use(const Op& op, std::size_t input) {
    const ValueId in = op.inputs[input], out = op.outputs[0];
    const std::string_view kind = op.kind();
    if (input == 0 && (kind == "Slice" || kind == "Split" || kind == "Pad")) return movement(op);
    if (op.outputs.size() > 1) return any_output(op, input);
    if (is_pointwise(kind) || (kind == "Clip" && input == 0) ||
        (kind == "BatchNormalization" && input == 0)) {
      NeedId need = value(out);
      if (kind == "Mul") need = needs_.both(need, multiplier(op, 1 - input), channels(out));
      return through_broadcast(need, in, out);
    }
    if (kind == "Conv" && input == 0) {
      const NeedId need = value(out);
      return needs_.groups(need, channels(out), channels(in),
                           static_cast<int>(op.node->attributes.integer("group")));
    }
    if ((kind == "Gemm" || kind == "MatMul") && input == 0 &&
        program_.values[in].shape.size() == 2) {
      return needs_.groups(value(out), channels(out), channels(in), 1);
    }
    if (kind == "MaxPool" || kind == "AveragePool" || (input == 0 && is_global_pool(program_, op)))
      return value(out);
    if (joins_channels(program_, op)) {
      int begin = 0;
      for (std::size_t i = 0; i < input; ++i) begin += channels(op.inputs[i]);
      return needs_.slice(value(out), begin, channels(in));
    }
    if (kind == "Reshape" || kind == "Flatten" || kind == "Squeeze" || kind == "Unsqueeze" ||
        kind == "Expand") {
      const Extent from = extent(in), to = extent(out);
      const bool ranked =
          program_.values[in].shape.size() >= 2 && program_.values[out].shape.size() >= 2;
      if (input == 0 && ranked && from.samples == to.samples && from.channels == to.channels)
        return value(out);
    }
    return any_output(op, input);
  }

  // Some of the channels, all of them in parts, or all of them among padding.
  NeedId movement(const Op& op) {
    const int all = channels(op.inputs[0]);
    NeedId need = kNeedNone;
    for (std::size_t i = 0; i < op.outputs.size(); ++i) {
      const ValueId out = op.outputs[i];
      if (out == kAbsent) continue;
      const auto map = channel_map(program_, op, i);
      if (!map) return any_output(op, 0);
      const NeedId part = needs_.slice(value(out), map->out_begin, map->count);
      need = needs_.either(need, needs_.embed(part, map->in_begin, map->count, all), all);
    }
    return need;
  }

  // Where nothing better is known: needed as a whole, if anything of any output is; sample by
  // sample where the op keeps samples apart.
  NeedId any_output(const Op& op, std::size_t input) {
    const int into = channels(op.inputs[input]);
    const bool apart = keeps_samples(program_, op, input);
    NeedId need = kNeedNone;
    for (ValueId out : op.outputs) {
      if (out == kAbsent) continue;
      const NeedId any = apart ? needs_.groups(value(out), channels(out), into, 1)
                               : needs_.any_sample(value(out), channels(out),
                                                   static_cast<int>(extent(out).samples));
      need = needs_.either(need, any, into);
    }
    return need;
  }

  NeedId through_broadcast(NeedId need, ValueId in, ValueId out) {
    const Shape &from = program_.values[in].shape, &to = program_.values[out].shape;
    const Extent e = extent_of(from), result = extent_of(to);
    if (from.size() != to.size() || e.samples != result.samples) {
      return needs_.any_sample(need, channels(out), static_cast<int>(result.samples));
    }
    return e.channels == result.channels ? need
                                         : needs_.groups(need, channels(out), channels(in), 1);
  }

  // Where the other factor is known before the step: only where it is not zero.
  NeedId multiplier(const Op& op, std::size_t input) {
    const auto factor = multiplier_of(program_, planes_, op, input);
    if (!factor) return kNeedAll;
    const int producer = program_.values[factor->value].producer;
    if (producer >= 0 && after_[dependence_.group_of(producer)]) return kNeedAll;
    return needs_.nonzero(factor->value, factor->sample_stride, factor->channel_stride,
                          channels(op.outputs[0]));
  }

  const Program& program_;
  const std::vector<bool>& planes_;
  const Dependence& dependence_;
  Needs& needs_;
  std::vector<bool> after_;
  std::map<ValueId, NeedId> known_;
};

}  // namespace

void find_switches(const Program& program, const std::vector<bool>& planes,
                   std::vector<Step>& steps, Dependence& dependence, Needs& needs) {
  // The steps with most to save choose first: an edge added for one can close the way for another.
  std::vector<int> groups;
  for (std::size_t g = 0; g < steps.size(); ++g) {
    if (!steps[g].ops.empty()) groups.push_back(static_cast<int>(g));
  }
  std::stable_sort(groups.begin(), groups.end(),
                   [&](int a, int b) { return steps[a].macs() > steps[b].macs(); });
  for (int group : groups) {
    Step& step = steps[group];
    NeedOf need(program, planes, dependence, needs, group);
    if (step.outputs.size() == 1) {
      step.need = need.value(step.outputs[0]);
    } else {
      step.need = kNeedNone;
      for (ValueId out : step.outputs) {
        if (out == kAbsent) continue;
        const Extent e = extent_of(program.values[out].shape);
        const NeedId any = needs.any_sample(need.value(out), static_cast<int>(e.channels),
                                            static_cast<int>(e.samples));
        step.need = needs.either(step.need, any, 1);
      }
    }
    for (ValueId multiplier : needs.multipliers(step.need)) {
      const int producer = program.values[multiplier].producer;
      if (producer >= 0) dependence.add_edge(dependence.group_of(producer), group);
    }
    if (step.layer) {
      step.notes = unused_multipliers(program, planes, step, need.after(), dependence, needs);
    }
  }
}

}  // namespace pdrt::plan
