// The plans of one session, one per set of input shapes, each with the workspaces that wait for its
// next run.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "run/executor.h"
#include "run/host_steps.h"

namespace pdrt::run {

namespace device {
class Device;
}

class PreparedPlan {
 public:
  PreparedPlan(std::vector<Shape> shapes, std::unique_ptr<const plan::Plan> plan,
               const cpu::Engine& engine, int threads, PackedWeights& packed,
               device::Device* device = nullptr, bool skip = true, bool switches_on_device = false);

  const std::vector<Shape>& shapes() const { return shapes_; }
  const plan::Plan& plan() const { return *plan_; }
  const PackedSteps& packed() const { return host_steps_.packed(); }
  const Executor& executor() const { return *executor_; }
  // Where switches are evaluated, and why there; empty without a device.
  std::string switches;

  // A workspace for one run: one that is idle, or a new one where more runs overlap than ever
  // before.
  std::unique_ptr<Workspace> take();
  void give_back(std::unique_ptr<Workspace> workspace);

 private:
  std::vector<Shape> shapes_;
  std::unique_ptr<const plan::Plan> plan_;
  HostSteps host_steps_;
  std::unique_ptr<const Executor> executor_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> idle_;
};

// Where a device's switches are evaluated.
enum class Switches { host, device, measured };

class PlanCache {
 public:
  PlanCache(const Graph& graph, std::vector<ValueId> outputs, plan::PlanOptions options,
            const cpu::Engine& engine, int threads, device::Device* device, bool skip,
            Switches switches)
      : graph_(graph),
        outputs_(std::move(outputs)),
        options_(std::move(options)),
        engine_(engine),
        threads_(threads),
        device_(device),
        skip_(skip),
        switches_(switches) {}

  // Plans if these shapes are new. Safe from several threads; a plan in use outlives its place
  // here.
  std::shared_ptr<PreparedPlan> get(const std::vector<Shape>& shapes);
  std::shared_ptr<PreparedPlan> get(const std::vector<TensorView>& inputs);

 private:
  std::unique_ptr<const plan::Plan> make(const std::vector<Shape>& shapes,
                                         const plan::PlanOptions& options) const;
  std::shared_ptr<PreparedPlan> prepare(const std::vector<Shape>& shapes);
  std::shared_ptr<PreparedPlan> prepare(const std::vector<Shape>& shapes, Switches switches);
  const Graph& graph_;
  std::vector<ValueId> outputs_;
  plan::PlanOptions options_;
  const cpu::Engine& engine_;
  const int threads_;
  device::Device* const device_;  // nullptr: everything on the CPU
  const bool skip_;
  const Switches switches_;
  PackedWeights packed_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<PreparedPlan>> plans_;  // most recently used first
};

}  // namespace pdrt::run
