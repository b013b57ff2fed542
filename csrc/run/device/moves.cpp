#include "run/device/moves.h"

#include <algorithm>

namespace pdrt::run::device {
namespace {

void add(std::vector<ValueId>& values, ValueId value) {
  if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
}

// Numbers that decide what runs of a step, before anything of it is enqueued.
std::vector<ValueId> decisive(const plan::Plan& plan, const plan::Step& step) {
  std::vector<ValueId> values = plan.needs.multipliers(step.need);
  for (const plan::ChainStage& stage : step.chain) {
    if (stage.is_switch && stage.value != kAbsent) values.push_back(stage.value);
  }
  return values;
}

std::vector<ValueId> operands(const plan::Step& step) {
  std::vector<ValueId> values;
  for (ValueId value : step.inputs) {
    if (value != kAbsent) values.push_back(value);
  }
  for (const plan::ChainStage& stage : step.chain) {
    if (stage.value != kAbsent) values.push_back(stage.value);
  }
  return values;
}

}  // namespace

Moves::Moves(const plan::Plan& plan, bool host_decides, bool shared_planes)
    : awaited(plan.steps.size()),
      fetched(plan.steps.size()),
      read_after(plan.steps.size()),
      written_after(plan.steps.size()),
      to_host(plan.program.inputs.size(), false),
      to_device(plan.program.inputs.size(), false),
      on_device(plan.values.size(), false),
      unknown(plan.values.size(), false),
      source(plan.values.size()) {
  std::vector<int> maker(plan.values.size(), -1);
  for (std::size_t id = 0; id < source.size(); ++id) source[id] = static_cast<ValueId>(id);
  const auto is_view = [](const plan::Step& step) {
    return std::holds_alternative<plan::ViewForm>(step.form);
  };
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    const plan::Step& step = plan.steps[s];
    for (ValueId out : step.outputs) {
      if (out == kAbsent) continue;
      maker[out] = static_cast<int>(s);
      on_device[out] = step.on_device;
      if (is_view(step)) source[out] = source[step.inputs[0]];
    }
  }

  const auto input_number = [&](ValueId value) {
    const auto& inputs = plan.program.inputs;
    return static_cast<std::size_t>(std::find(inputs.begin(), inputs.end(), value) -
                                    inputs.begin());
  };
  const auto is_input = [&](ValueId value) { return input_number(value) < to_host.size(); };
  // The host wants a value when `step` comes; the step is its own, or one of the device.
  const auto host_wants = [&](ValueId wanted, std::size_t step) {
    const ValueId value = source[wanted];
    if (plan.value(value).is_constant()) return;
    if (is_input(value) && plan.planes[value] && shared_planes) {
      to_device[input_number(value)] = true;  // which makes planes of it
      add(fetched[step], value);
    } else if (is_input(value)) {
      to_host[input_number(value)] = true;
    } else if (on_device[value] && plan.planes[value]) {
      add(fetched[step], value);
    } else if (on_device[value]) {
      add(awaited[step], value);
      add(read_after[maker[value]], value);
    }
  };
  const auto device_wants = [&](ValueId wanted) {
    const ValueId value = source[wanted];
    if (plan.value(value).is_constant()) return;
    if (is_input(value)) {
      to_device[input_number(value)] = true;
    } else if (!on_device[value]) {
      add(written_after[maker[value]], value);
    }
  };
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    const plan::Step& step = plan.steps[s];
    if (is_view(step)) continue;
    if (host_decides || !step.on_device) {
      for (ValueId value : decisive(plan, step)) host_wants(value, s);
    }
    for (ValueId value : operands(step)) {
      if (step.on_device) {
        device_wants(value);
      } else {
        host_wants(value, s);
      }
    }
  }
  for (ValueId output : plan.program.outputs) {
    if (!is_input(source[output])) continue;
    const bool shared = shared_planes && plan.planes[source[output]];
    (shared ? to_device : to_host)[input_number(source[output])] = true;
  }
  for (std::size_t id = 0; id < source.size(); ++id) {
    const int made = maker[source[id]];
    unknown[id] = on_device[id] && made >= 0 &&
                  std::find(read_after[made].begin(), read_after[made].end(), source[id]) ==
                      read_after[made].end();
  }
}

}  // namespace pdrt::run::device
