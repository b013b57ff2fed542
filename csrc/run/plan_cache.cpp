#include "run/plan_cache.h"

#include <algorithm>
#include <cstdio>

#include "pdrt/error.h"
#include "run/device/executor.h"
#include "run/host_executor.h"
#include "run/input_checks.h"
#include "run/trial.h"

namespace pdrt::run {
namespace {

// A caller whose shapes keep changing pays for planning, not with memory.
constexpr std::size_t kMaxPlans = 8;

bool fits(const std::vector<Shape>& shapes, const std::vector<TensorView>& inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto* dims = inputs[i].dims.data();
    if (!std::equal(shapes[i].begin(), shapes[i].end(), dims, dims + inputs[i].rank)) return false;
  }
  return true;
}

std::unique_ptr<const Executor> make_executor(const plan::Plan& plan, const HostSteps& steps,
                                              device::Device* device, bool skip,
                                              bool switches_on_device) {
  if (device == nullptr) return std::make_unique<HostExecutor>(plan, steps);
  return std::make_unique<device::DeviceExecutor>(plan, steps, *device, skip, switches_on_device);
}

std::string in_milliseconds(double time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f ms", time);
  return text;
}

}  // namespace

PreparedPlan::PreparedPlan(std::vector<Shape> shapes, std::unique_ptr<const plan::Plan> plan,
                           const cpu::Engine& engine, int threads, PackedWeights& packed,
                           device::Device* device, bool skip, bool switches_on_device)
    : shapes_(std::move(shapes)),
      plan_(std::move(plan)),
      host_steps_(*plan_, engine, threads, packed),
      executor_(make_executor(*plan_, host_steps_, device, skip, switches_on_device)) {
  // Programs are built and memory is asked for now, and not when the first run waits.
  if (device != nullptr) idle_.push_back(executor_->make_workspace());
}

std::unique_ptr<Workspace> PreparedPlan::take() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!idle_.empty()) {
      auto workspace = std::move(idle_.back());
      idle_.pop_back();
      return workspace;
    }
  }
  host_steps_.before_first_run();
  return executor_->make_workspace();
}

void PreparedPlan::give_back(std::unique_ptr<Workspace> workspace) {
  const std::lock_guard<std::mutex> lock(mutex_);
  idle_.push_back(std::move(workspace));
}

std::shared_ptr<PreparedPlan> PlanCache::get(const std::vector<Shape>& shapes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto at = std::find_if(plans_.begin(), plans_.end(),
                               [&](const auto& prepared) { return prepared->shapes() == shapes; });
  if (at != plans_.end()) {
    std::rotate(plans_.begin(), at, at + 1);
    return plans_.front();
  }
  plans_.insert(plans_.begin(), prepare(shapes));
  if (plans_.size() > kMaxPlans) plans_.pop_back();
  return plans_.front();
}

std::shared_ptr<PreparedPlan> PlanCache::get(const std::vector<TensorView>& inputs) {
  {  // the same shapes again: no list of shapes has to be made
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!plans_.empty() && fits(plans_.front()->shapes(), inputs)) return plans_.front();
  }
  std::vector<Shape> shapes;
  for (const TensorView& input : inputs) shapes.push_back(input.shape());
  return get(shapes);
}

std::shared_ptr<PreparedPlan> PlanCache::prepare(const std::vector<Shape>& shapes,
                                                 Switches switches) {
  plan::PlanOptions options = options_;
  options.switches_on_device = switches == Switches::device;
  return std::make_shared<PreparedPlan>(shapes, make(shapes, options), engine_, threads_, packed_,
                                        device_, skip_, options.switches_on_device);
}

std::shared_ptr<PreparedPlan> PlanCache::prepare(const std::vector<Shape>& shapes) {
  if (device_ == nullptr) return prepare(shapes, Switches::host);
  if (switches_ != Switches::measured) {
    std::shared_ptr<PreparedPlan> prepared = prepare(shapes, switches_);
    prepared->switches = switches_ == Switches::device ? "on the device" : "on the host";
    return prepared;
  }
  std::shared_ptr<PreparedPlan> host = prepare(shapes, Switches::host);
  const std::vector<plan::Step>& steps = host->plan().steps;
  if (!skip_ ||
      std::none_of(steps.begin(), steps.end(), [](const auto& step) { return step.decides; })) {
    host->switches = "none";
    return host;
  }
  std::shared_ptr<PreparedPlan> device;
  try {
    device = prepare(shapes, Switches::device);
  } catch (const DeviceError& error) {
    host->switches = std::string("on the host; not on the device: ") + error.what();
    return host;
  }
  const double on_host = trial(*host, engine_, threads_, skip_),
               on_device = trial(*device, engine_, threads_, skip_);
  std::shared_ptr<PreparedPlan>& better = on_host <= on_device ? host : device;
  better->switches = (on_host <= on_device ? "on the host, " : "on the device, ") +
                     std::string("which was faster on noise: ") + in_milliseconds(on_host) +
                     " on the host, " + in_milliseconds(on_device) + " on the device";
  return better;
}

std::unique_ptr<const plan::Plan> PlanCache::make(const std::vector<Shape>& shapes,
                                                  const plan::PlanOptions& options) const {
  if (is_concrete(graph_)) return plan::make_plan(graph_, shapes, outputs_, options);
  try {
    return plan::make_plan(graph_, shapes, outputs_, options);
  } catch (const ModelError& error) {  // the free dimensions were the caller's choice
    std::string given;
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      given += (i == 0 ? "" : ", ") + graph_.input_specs[i].name + " " + to_string(shapes[i]);
    }
    throw InputError(std::string(error.what()) + " (planned for " + given + ")");
  }
}

}  // namespace pdrt::run
