#include "run/host_executor.h"

#include <chrono>
#include <optional>

#include "cpu/pool.h"
#include "run/transfer.h"

namespace pdrt::run {
namespace {

// step(frame, index) for all steps, in the order of the plan's stretches; on one thread those that
// are not worth sharing as the threads are placed.
template <typename Step>
void for_each_step(const Frame& frame, const Step& step) {
  for (const plan::Stretch& stretch : frame.plan.stretches) {
    for (std::int64_t n = 0; n < stretch.turns; ++n) {
      const Frame turn = stretch.turns > 1 ? frame.for_sample(n) : frame;
      const Frame alone = turn.on_one_thread();
      for (int s = stretch.first; s < stretch.last; ++s) {
        const bool one = turn.threads == 2 && turn.plan.near_only[s] && cpu::workers_apart();
        step(one ? alone : turn, static_cast<std::size_t>(s));
      }
    }
  }
}

}  // namespace

std::unique_ptr<Workspace> HostExecutor::make_workspace() const {
  return std::make_unique<Workspace>(plan_);
}

void HostExecutor::load(const Frame& frame, const std::vector<TensorView>& inputs) const {
  for (std::size_t i = 0; i < inputs.size(); ++i)
    load_input(frame, plan_.program.inputs[i], inputs[i]);
}

void HostExecutor::run(const Frame& frame, bool timed) const {
  std::optional<cpu::RunUnderWay> under_way;
  if (frame.threads > 1) under_way.emplace();
  if (!timed) {
    for_each_step(frame, [&](const Frame& turn, std::size_t s) { steps_.run(turn, s); });
    return;
  }
  std::vector<double>& times = frame.work.step_milliseconds;
  times.assign(plan_.steps.size(), 0);
  for_each_step(frame, [&](const Frame& turn, std::size_t s) {
    const Clock::time_point start = Clock::now();
    const auto mark = frame.work.host_trace.mark("compute", s);
    steps_.run(turn, s);
    times[s] += std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  });
}

void HostExecutor::store(const Frame& frame, const std::vector<TensorView>& outputs) const {
  const std::vector<ValueId>& ids = plan_.program.outputs;
  for (std::size_t i = 0; i < ids.size(); ++i) store_output(frame, ids[i], outputs[i]);
}

std::string HostExecutor::implementation(std::size_t step) const {
  return steps_.implementation(step);
}

std::vector<std::string> HostExecutor::refused(std::size_t step) const {
  return plan_.steps[step].refused;
}

}  // namespace pdrt::run
