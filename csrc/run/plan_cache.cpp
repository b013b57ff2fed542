#include "run/plan_cache.h"

#include <algorithm>
#include <chrono>

#include "model/mapped_file.h"
#include "pdrt/error.h"
#include "run/input_checks.h"

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

// The file's weights, where another form of them is what will usually be read.
void release_weights(const plan::Plan& plan, std::size_t s) {
  const auto& form = std::get<plan::ConvolutionForm>(plan.steps[s].form);
  const std::int64_t kernels = form.kernels / form.groups, channels = form.group_channels();
  if (cheapest_way(plan, s, kernels, channels) == kDirect) return;
  const auto file = std::static_pointer_cast<const FileBytes>(plan.program.graph->storage);
  file->release(form.weights, form.kernels * channels * form.taps() * sizeof(float));
}

// step(frame, index) for all steps, in the order of the plan's stretches.
template <typename Step>
void for_each_step(const Frame& frame, const Step& step) {
  for (const plan::Stretch& stretch : frame.plan.stretches) {
    for (std::int64_t n = 0; n < stretch.turns; ++n) {
      const Frame turn = stretch.turns > 1 ? frame.for_sample(n) : frame;
      for (int s = stretch.first; s < stretch.last; ++s) step(turn, static_cast<std::size_t>(s));
    }
  }
}

}  // namespace

PreparedPlan::PreparedPlan(std::vector<Shape> shapes, std::unique_ptr<const plan::Plan> plan,
                           const cpu::Engine& engine, int threads, PackedWeights& packed)
    : shapes_(std::move(shapes)),
      plan_(std::move(plan)),
      packed_(plan_->steps.size() * kWays, nullptr) {
  for (std::size_t s = 0; s < plan_->steps.size(); ++s) {
    const plan::Step& step = plan_->steps[s];
    implementations_.push_back(&implementation_of(step));
    if (!std::holds_alternative<plan::ConvolutionForm>(step.form)) continue;
    for (int index = 0; index < kWays; ++index) {
      if (!way(index).possible(*plan_, s)) continue;
      packed_[s * kWays + index] = way(index).pack(*plan_, s, engine, threads, packed);
    }
    release_weights(*plan_, s);
  }
  packed_bytes_ = packed.bytes();
  for (const Tensor& tensor : plan_->packed) packed_bytes_ += tensor.bytes();
}

void PreparedPlan::run_steps(const Frame& frame) const {
  for_each_step(frame,
                [&](const Frame& turn, std::size_t s) { implementations_[s]->run(turn, s); });
}

void PreparedPlan::time_steps(const Frame& frame) const {
  using Clock = std::chrono::steady_clock;
  std::vector<double>& times = frame.work.step_milliseconds;
  times.assign(implementations_.size(), 0);
  for_each_step(frame, [&](const Frame& turn, std::size_t s) {
    const Clock::time_point start = Clock::now();
    implementations_[s]->run(turn, s);
    times[s] += std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  });
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
  return std::make_unique<Workspace>(*plan_);
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
  plans_.insert(plans_.begin(),
                std::make_shared<PreparedPlan>(shapes, make(shapes), engine_, threads_, packed_));
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

std::unique_ptr<const plan::Plan> PlanCache::make(const std::vector<Shape>& shapes) const {
  if (is_concrete(graph_)) return plan::make_plan(graph_, shapes, outputs_, options_);
  try {
    return plan::make_plan(graph_, shapes, outputs_, options_);
  } catch (const ModelError& error) {  // the free dimensions were the caller's choice
    std::string given;
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      given += (i == 0 ? "" : ", ") + graph_.input_specs[i].name + " " + to_string(shapes[i]);
    }
    throw InputError(std::string(error.what()) + " (planned for " + given + ")");
  }
}

}  // namespace pdrt::run
