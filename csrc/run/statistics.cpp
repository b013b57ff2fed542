#include "run/statistics.h"

namespace pdrt::run {
namespace {

void add_name(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
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

Explanation explain(const PreparedPlan& prepared, std::string device) {
  const plan::Plan& plan = prepared.plan();
  Explanation result;
  result.device = std::move(device);
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
    report.notes = step.notes;
    if (!launches.empty()) report.launches = launches[s];
    result.macs += step.macs();
  }
  result.arena_bytes = plan.arena_bytes();
  result.weight_bytes = plan.program.graph->weight_bytes;
  result.packed_bytes = prepared.executor().packed_bytes();
  return result;
}

}  // namespace pdrt::run
