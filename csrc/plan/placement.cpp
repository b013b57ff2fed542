#include "plan/placement.h"

#include <algorithm>
#include <limits>

#include "plan/plan.h"

namespace pdrt::plan {
namespace {

class Placer {
 public:
  Placer(Plan& plan, const DeviceCheck& check, bool switches_on_device)
      : plan_(plan),
        check_(check),
        switches_on_device_(switches_on_device),
        producer_(plan.program.values.size(), -1) {
    const int steps = static_cast<int>(plan_.steps.size());
    for (int s = 0; s < steps; ++s) {
      for (ValueId out : plan_.steps[s].outputs) {
        if (out != kAbsent) producer_[out] = s;
      }
    }
    before_.resize(steps);
    for (int s = 0; s < steps; ++s) {
      for (ValueId value : reads(plan_.steps[s])) {
        if (producer_[value] >= 0) before_[s].push_back(producer_[value]);
      }
    }
  }

  void run() {
    find_deciding();
    place();
    order();
  }

 private:
  std::vector<ValueId> reads(const Step& step) const {
    std::vector<ValueId> values = plan_.needs.multipliers(step.need);
    for (ValueId value : step.inputs) {
      if (value != kAbsent) values.push_back(value);
    }
    for (const ChainStage& stage : step.chain) {
      if (stage.value != kAbsent) values.push_back(stage.value);
    }
    return values;
  }

  // Whether `step` needs what `earlier` makes, at first or second hand. Steps are in an order that
  // can be executed.
  bool depends_on(int step, int earlier) const {
    std::vector<bool> needed(step + 1, false);
    needed[step] = true;
    for (int s = step; s >= earlier && s >= 0; --s) {
      if (!needed[s]) continue;
      if (s == earlier) return true;
      for (int other : before_[s]) needed[other] = true;
    }
    return false;
  }

  // Multipliers that are known before what they multiply is computed. One that is made from the
  // very planes it multiplies (squeeze and excitation) can spare next to nothing, and waiting for
  // it would stop the device: it stays an ordinary factor there.
  void find_deciding() {
    deciding_.assign(plan_.program.values.size(), false);
    for (const Step& step : plan_.steps) {
      for (ValueId multiplier : plan_.needs.multipliers(step.need)) deciding_[multiplier] = true;
    }
    for (const Step& step : plan_.steps) {
      const int source = step.inputs.empty() ? -1 : producer_[step.inputs[0]];
      for (const ChainStage& stage : step.chain) {
        if (!stage.is_switch || stage.value == kAbsent) continue;
        const int maker = producer_[stage.value];
        const bool from_itself =
            !step.layer && source >= 0 && maker >= 0 && depends_on(maker, source);
        if (!from_itself) deciding_[stage.value] = true;
      }
    }
  }

  bool reads_planes(const Step& step) const {
    return std::any_of(step.inputs.begin(), step.inputs.end(),
                       [&](ValueId value) { return value != kAbsent && plan_.planes[value]; });
  }

  // From pooled numbers to multipliers, and whatever the device cannot do, is the host's.
  void place() {
    std::vector<bool> gate(plan_.steps.size(), false);
    for (int s = static_cast<int>(plan_.steps.size()); s-- > 0;) {
      Step& step = plan_.steps[s];
      bool decides = gate[s];
      for (ValueId out : step.outputs) decides = decides || (out != kAbsent && deciding_[out]);
      const bool dense = std::none_of(step.outputs.begin(), step.outputs.end(), [&](ValueId out) {
        return out != kAbsent && plan_.planes[out];
      });
      const bool pools = std::holds_alternative<GlobalPoolForm>(step.form) || reads_planes(step);
      gate[s] = decides && dense && !pools && !switches_on_device_;
      if (gate[s]) {
        for (int other : before_[s]) gate[other] = true;
      }
    }
    for (std::size_t s = 0; s < plan_.steps.size(); ++s) {
      Step& step = plan_.steps[s];
      if (std::holds_alternative<ViewForm>(step.form)) {  // nothing to do: where its input is
        const int source = producer_[step.inputs[0]];
        step.on_device = source >= 0 && plan_.steps[source].on_device;
        continue;
      }
      if (gate[s]) {
        step.host_reason = "it decides what runs, on the host";
        step.decides = true;
        continue;
      }
      const DeviceAnswer answer = check_(plan_, step);
      step.host_reason = answer.why_not;
      step.host_by_choice = answer.by_choice;
      step.on_device = step.host_reason.empty();
      if (!step.on_device) continue;
      for (ChainStage& stage : step.chain) {
        if (stage.is_switch && stage.value != kAbsent && !deciding_[stage.value]) {
          stage.is_switch = false;
          step.notes.push_back("'" + plan_.value(stage.value).name +
                               "' multiplies on the device: it is made from what it multiplies");
        }
      }
    }
  }

  // Whatever the device can do without the host goes first, and of that what the host will wait for
  // soonest; the host's steps follow when nothing else is left to be enqueued.
  void order() {
    const int steps = static_cast<int>(plan_.steps.size());
    std::vector<int> waiting(steps, 0), awaited_by(steps, steps);
    std::vector<std::vector<int>> behind(steps);
    for (int s = 0; s < steps; ++s) {
      std::vector<int>& earlier = before_[s];
      std::sort(earlier.begin(), earlier.end());
      earlier.erase(std::unique(earlier.begin(), earlier.end()), earlier.end());
      waiting[s] = static_cast<int>(earlier.size());
      for (int other : earlier) behind[other].push_back(s);
    }
    for (int s = steps; s-- > 0;) {
      if (!plan_.steps[s].on_device) awaited_by[s] = s;
      for (int other : before_[s]) awaited_by[other] = std::min(awaited_by[other], awaited_by[s]);
    }
    std::vector<int> ready, order;
    for (int s = 0; s < steps; ++s) {
      if (waiting[s] == 0) ready.push_back(s);
    }
    auto rank = [&](int s) { return std::make_pair(awaited_by[s], s); };
    bool on_device = true;
    while (!ready.empty()) {
      auto best = ready.end();
      for (auto at = ready.begin(); at != ready.end(); ++at) {
        if (plan_.steps[*at].on_device != on_device) continue;
        if (best == ready.end() || rank(*at) < rank(*best)) best = at;
      }
      if (best == ready.end()) {  // the other side's turn
        on_device = !on_device;
        continue;
      }
      const int s = *best;
      ready.erase(best);
      order.push_back(s);
      for (int other : behind[s]) {
        if (--waiting[other] == 0) ready.push_back(other);
      }
    }
    std::vector<Step> ordered;
    ordered.reserve(steps);
    for (int s : order) ordered.push_back(std::move(plan_.steps[s]));
    plan_.steps = std::move(ordered);
  }

  Plan& plan_;
  const DeviceCheck& check_;
  const bool switches_on_device_;
  std::vector<int> producer_;             // by value: the step that makes it
  std::vector<std::vector<int>> before_;  // by step: the steps it waits for
  std::vector<bool> deciding_;            // by value
};

}  // namespace

void place_steps(Plan& plan, const DeviceCheck& check, bool switches_on_device) {
  Placer(plan, check, switches_on_device).run();
}

}  // namespace pdrt::plan
