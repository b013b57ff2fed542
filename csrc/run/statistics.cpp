#include "run/statistics.h"

#include <algorithm>

namespace pdrt::run {
namespace {

void add_name(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

// By value: the step that computes its numbers, or -1; of a view that of what it views.
std::vector<int> makers_of(const plan::Plan& plan) {
  std::vector<int> makers(plan.values.size(), -1);
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    const plan::Step& step = plan.steps[s];
    const bool view = std::holds_alternative<plan::ViewForm>(step.form);
    for (ValueId out : step.outputs) {
      if (out != kAbsent) makers[out] = view ? makers[step.inputs[0]] : static_cast<int>(s);
    }
  }
  return makers;
}

std::vector<int> deciding_steps(const plan::Plan& plan, const plan::Step& step,
                                const std::vector<int>& makers) {
  std::vector<ValueId> switches = plan.needs.multipliers(step.need);
  for (const plan::ChainStage& stage : step.chain) {
    if (stage.is_switch && stage.value != kAbsent) switches.push_back(stage.value);
  }
  std::vector<int> steps;
  for (ValueId value : switches) {
    if (makers[value] >= 0) steps.push_back(makers[value]);
  }
  std::sort(steps.begin(), steps.end());
  steps.erase(std::unique(steps.begin(), steps.end()), steps.end());
  return steps;
}

}  // namespace

void collect(const Frame& frame, RunStats& stats) {
  stats.macs_dense = 0;
  stats.macs_executed = 0;
  stats.synchronisations = frame.work.waits.synchronisations;
  stats.waiting_milliseconds = frame.work.waits.waiting;
  stats.enqueue_milliseconds = frame.work.waits.enqueueing;
  std::size_t used = 0;
  const std::vector<double>& times = frame.work.step_milliseconds;
  stats.steps.resize(times.size());
  for (std::size_t s = 0; s < times.size(); ++s) stats.steps[s] = {times[s], 0};
  for (std::size_t s = 0; s < frame.plan.steps.size(); ++s) {
    const plan::Step& step = frame.plan.steps[s];
    if (!step.layer) continue;
    const std::int64_t before = stats.macs_executed;
    if (stats.layers.size() == used) stats.layers.emplace_back();
    LayerCounts& counts = stats.layers[used++];
    counts.name = step.name;
    counts.kernels = step.layer->kernels;
    counts.channels = step.layer->channels;
    counts.macs_per_pair = step.layer->macs_per_pair;
    counts.active.resize(step.layer->samples);
    counts.visited.resize(step.layer->samples);
    for (std::int64_t n = 0; n < step.layer->samples; ++n) {
      const Count& count = frame.work.counts[s * frame.work.samples + n];
      counts.active[n] = count.active;
      counts.visited[n] = count.visited;
      stats.macs_executed += count.visited * counts.macs_per_pair;
    }
    if (!times.empty()) stats.steps[s].macs_executed = stats.macs_executed - before;
    stats.macs_dense += step.macs();
  }
  stats.layers.resize(used);
}

void collect_trace(const Frame& frame, Clock::time_point start, RunStats& stats) {
  stats.events.clear();
  for (const Span& span : frame.work.host_trace.spans()) {
    stats.events.push_back({"host", span.what, span.step, milliseconds_between(start, span.start),
                            milliseconds_between(start, span.end)});
  }
}

Explanation explain(const PreparedPlan& prepared, std::string device) {
  const plan::Plan& plan = prepared.plan();
  Explanation result;
  result.device = std::move(device);
  const std::vector<int> makers = makers_of(plan);
  result.switches_at = prepared.switches;
  const std::vector<std::vector<std::string>> launches = prepared.executor().launches();
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    const plan::Step& step = plan.steps[s];
    StepReport& report = result.steps.emplace_back();
    report.name = step.name;
    for (int op : step.ops) report.operators.emplace_back(plan.program.ops[op].kind());
    report.implementation = prepared.executor().implementation(s);
    report.refused = prepared.executor().refused(s);
    report.macs = step.macs();
    report.output = plan.value(step.output()).shape;
    for (const plan::ChainStage& stage : step.chain) {
      if (stage.is_switch && stage.value != kAbsent)
        add_name(report.switches, plan.value(stage.value).name);
      if (stage.is_switch && stage.value == kAbsent) add_name(report.switches, "(stored zeros)");
    }
    for (ValueId id : plan.needs.multipliers(step.need))
      add_name(report.switches, plan.value(id).name);
    report.notes = prepared.executor().notes(s);
    report.notes.insert(report.notes.begin(), step.notes.begin(), step.notes.end());
    report.decided_by = deciding_steps(plan, step, makers);
    if (!launches.empty()) report.launches = launches[s];
    result.macs += step.macs();
  }
  result.arena_bytes = plan.arena_bytes();
  result.weight_bytes = plan.program.graph->weight_bytes;
  result.packed_bytes = prepared.executor().packed_bytes();
  return result;
}

}  // namespace pdrt::run
