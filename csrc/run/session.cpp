#include "pdrt/session.h"

#include <algorithm>
#include <chrono>
#include <mutex>

#include "cpu/pool.h"
#include "model/graph.h"
#include "model/output_specs.h"
#include "pdrt/error.h"
#include "run/implementations.h"
#include "run/statistics.h"
#include "run/transfer.h"

namespace pdrt {
namespace {

// Plans kept per session; a caller whose shapes keep changing pays for planning, not with memory.
constexpr std::size_t kMaxPlans = 8;

// One plan and the workspaces that wait for its next run.
struct Prepared {
  std::vector<Shape> shapes;
  std::unique_ptr<const plan::Plan> plan;
  std::vector<const run::Implementation*> implementations;  // by step
  std::mutex mutex;
  std::vector<std::unique_ptr<run::Workspace>> idle;

  std::unique_ptr<run::Workspace> take() {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      if (!idle.empty()) {
        auto workspace = std::move(idle.back());
        idle.pop_back();
        return workspace;
      }
    }
    return std::make_unique<run::Workspace>(*plan);
  }
  void give_back(std::unique_ptr<run::Workspace> workspace) {
    const std::lock_guard<std::mutex> lock(mutex);
    idle.push_back(std::move(workspace));
  }
};

ValueId find_value(const Graph& graph, const std::string& name) {
  for (std::size_t id = 0; id < graph.values.size(); ++id) {
    if (graph.values[id].name == name) return static_cast<ValueId>(id);
  }
  throw InputError(graph.source + ": there is no value named '" + name + "' to return");
}

std::string expected(const Spec& spec) {
  std::string text;
  for (std::int64_t dim : spec.shape)
    text += (text.empty() ? "" : "x") + (dim < 0 ? std::string("?") : std::to_string(dim));
  return std::string(name_of(spec.dtype)) + " " + (text.empty() ? "scalar" : text);
}

void check_input(const Graph& graph, const Spec& spec, const TensorView& view) {
  auto refuse = [&](const std::string& what) {
    throw InputError(graph.source + ": input '" + spec.name + "' is " + name_of(view.dtype) + " " +
                     to_string(view.shape()) + ", but the model takes " + expected(spec) + what);
  };
  if (view.dtype != spec.dtype) refuse("");
  if (view.rank != static_cast<int>(spec.shape.size())) refuse("");
  for (int d = 0; d < view.rank; ++d) {
    if (spec.shape[d] >= 0 && view.dims[d] != spec.shape[d]) refuse("");
    if (view.dims[d] == 0) refuse("; a dimension of 0 leaves nothing to compute");
  }
}

}  // namespace

struct Session::State {
  State(const Model& model, const Options& options) : model(model), options(options) {
    if (options.threads < 0)
      throw InputError("threads is " + std::to_string(options.threads) +
                       "; it must be 0 (all there are) or more");
    const std::string& device = options.device;
    if (device != "auto" && device != "cpu" && device != "reference") {
      throw DeviceError("device '" + device +
                        "' cannot be had: this build runs on \"cpu\" (which \"auto\" picks) and, "
                        "as the specification, on \"reference\"");
    }
    threads = options.threads == 0 ? cpu::available_threads() : options.threads;
    engine = &cpu::select_engine();
    const Graph& graph = model.graph();
    if (options.outputs.empty()) {
      outputs = graph.outputs;
      output_specs = graph.output_specs;
      return;
    }
    for (const std::string& name : options.outputs) outputs.push_back(find_value(graph, name));
    Graph selected = graph;
    selected.outputs = outputs;
    output_specs = output_specs_of(selected);
  }

  std::string device_name() const {
    if (options.device == "reference") return "reference";
    return "cpu (" + std::string(engine->name) + ", " + std::to_string(threads) +
           (threads == 1 ? " thread)" : " threads)");
  }

  std::shared_ptr<Prepared> prepare(const std::vector<Shape>& shapes) {
    const std::lock_guard<std::mutex> lock(plans_mutex);
    const auto at = std::find_if(plans.begin(), plans.end(),
                                 [&](const auto& p) { return p->shapes == shapes; });
    if (at != plans.end()) {
      std::rotate(plans.begin(), at, at + 1);  // most recently used first
      return plans.front();
    }
    auto prepared = std::make_shared<Prepared>();
    prepared->shapes = shapes;
    prepared->plan =
        plan::make_plan(model.graph(), shapes, outputs, {options.device == "reference"});
    for (const plan::Step& step : prepared->plan->steps)
      prepared->implementations.push_back(&run::implementation_of(step));
    plans.insert(plans.begin(), prepared);
    if (plans.size() > kMaxPlans) plans.pop_back();
    return prepared;
  }

  // Without comparing shapes through a fresh vector: the common case is the same shapes again.
  std::shared_ptr<Prepared> prepare_for(const std::vector<TensorView>& inputs) {
    {
      const std::lock_guard<std::mutex> lock(plans_mutex);
      if (!plans.empty() && fits(plans.front()->shapes, inputs)) return plans.front();
    }
    std::vector<Shape> shapes;
    for (const TensorView& input : inputs) shapes.push_back(input.shape());
    return prepare(shapes);
  }

  static bool fits(const std::vector<Shape>& shapes, const std::vector<TensorView>& inputs) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!std::equal(shapes[i].begin(), shapes[i].end(), inputs[i].dims.begin(),
                      inputs[i].dims.begin() + inputs[i].rank))
        return false;
    }
    return true;
  }

  // Runs the plan on the inputs and hands every finished value to `deliver` before the workspace is
  // reused.
  template <typename Deliver>
  void run(const std::vector<TensorView>& inputs, RunStats* stats, const Deliver& deliver) {
    const auto start = std::chrono::steady_clock::now();
    const Graph& graph = model.graph();
    if (inputs.size() != graph.inputs.size()) {
      throw InputError(graph.source + ": " + std::to_string(inputs.size()) +
                       " inputs given, the model takes " + std::to_string(graph.inputs.size()));
    }
    for (std::size_t i = 0; i < inputs.size(); ++i)
      check_input(graph, graph.input_specs[i], inputs[i]);
    const std::shared_ptr<Prepared> prepared = prepare_for(inputs);
    std::unique_ptr<run::Workspace> workspace = prepared->take();
    const run::Frame frame(*prepared->plan, *engine, threads, options.skip, *workspace);
    run::load_inputs(frame, inputs);
    for (std::size_t s = 0; s < prepared->implementations.size(); ++s)
      prepared->implementations[s]->run(frame, s);
    deliver(frame);
    {
      const std::lock_guard<std::mutex> lock(stats_mutex);
      run::collect(frame, last);
      last.milliseconds =
          std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
              .count();
      if (stats) *stats = last;
    }
    prepared->give_back(std::move(workspace));
  }

  Model model;
  Options options;
  int threads = 1;
  const cpu::Engine* engine = nullptr;
  std::vector<ValueId> outputs;
  std::vector<Spec> output_specs;
  std::mutex plans_mutex;
  std::vector<std::shared_ptr<Prepared>> plans;
  std::mutex stats_mutex;
  RunStats last;
};

Session::Session(const Model& model, const Options& options)
    : state_(std::make_unique<State>(model, options)) {
  const Graph& graph = model.graph();
  const bool concrete =
      std::all_of(graph.input_specs.begin(), graph.input_specs.end(), [](const Spec& spec) {
        return std::find(spec.shape.begin(), spec.shape.end(), -1) == spec.shape.end();
      });
  if (!concrete) return;  // planned when the first shapes arrive
  std::vector<Shape> shapes;
  for (const Spec& spec : graph.input_specs) shapes.push_back(spec.shape);
  state_->prepare(shapes);
}

Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

const std::vector<Spec>& Session::inputs() const { return state_->model.graph().input_specs; }
const std::vector<Spec>& Session::outputs() const { return state_->output_specs; }

std::vector<Tensor> Session::run(const std::map<std::string, TensorView>& inputs) {
  RunStats unused;
  return run(inputs, unused);
}

std::vector<Tensor> Session::run(const std::map<std::string, TensorView>& inputs, RunStats& stats) {
  const Graph& graph = state_->model.graph();
  std::vector<TensorView> ordered;
  for (const Spec& spec : graph.input_specs) {
    const auto at = inputs.find(spec.name);
    if (at == inputs.end())
      throw InputError(graph.source + ": input '" + spec.name + "' (" + expected(spec) +
                       ") is missing");
    ordered.push_back(at->second);
  }
  for (const auto& [name, view] : inputs) {
    const bool known = std::any_of(graph.input_specs.begin(), graph.input_specs.end(),
                                   [&](const Spec& s) { return s.name == name; });
    if (!known) throw InputError(graph.source + ": the model has no input named '" + name + "'");
  }
  std::vector<Tensor> results;
  state_->run(ordered, &stats, [&](const run::Frame& frame) {
    for (ValueId id : frame.plan.program.outputs) {
      results.emplace_back(frame.plan.value(id).dtype, frame.plan.value(id).shape);
      run::store_output(frame, id, results.back().view());
    }
  });
  return results;
}

void Session::run_into(const std::vector<TensorView>& inputs,
                       const std::vector<TensorView>& outputs, RunStats* stats) {
  state_->run(inputs, stats, [&](const run::Frame& frame) {
    const std::vector<ValueId>& ids = frame.plan.program.outputs;
    if (outputs.size() != ids.size()) {
      throw InputError(state_->model.graph().source + ": " + std::to_string(outputs.size()) +
                       " output buffers given, the session has " + std::to_string(ids.size()) +
                       " outputs");
    }
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const plan::Value& value = frame.plan.value(ids[i]);
      if (outputs[i].dtype != value.dtype || outputs[i].shape() != value.shape ||
          !outputs[i].contiguous()) {
        throw InputError(state_->model.graph().source + ": the buffer for output '" +
                         state_->output_specs[i].name + "' must be contiguous " +
                         name_of(value.dtype) + " " + to_string(value.shape));
      }
    }
    for (std::size_t i = 0; i < ids.size(); ++i) run::store_output(frame, ids[i], outputs[i]);
  });
}

RunStats Session::last_run() const {
  const std::lock_guard<std::mutex> lock(state_->stats_mutex);
  return state_->last;
}

Explanation Session::explain(const std::vector<Shape>& shapes) const {
  const Graph& graph = state_->model.graph();
  std::vector<Shape> concrete = shapes;
  if (shapes.empty()) {
    for (const Spec& spec : graph.input_specs) {
      concrete.push_back(spec.shape);
      std::replace(concrete.back().begin(), concrete.back().end(), std::int64_t{-1},
                   std::int64_t{1});
    }
  } else if (shapes.size() != graph.inputs.size()) {
    throw InputError(graph.source + ": " + std::to_string(shapes.size()) +
                     " shapes given, the model takes " + std::to_string(graph.inputs.size()) +
                     " inputs");
  }
  return run::explain(*state_->prepare(concrete)->plan, state_->device_name());
}

std::vector<DeviceReport> devices() {
  DeviceReport cpu{"cpu", true, ""};
  for (const cpu::Engine* engine : cpu::engines())
    cpu.details += (cpu.details.empty() ? "" : ", ") + std::string(engine->name);
  cpu.details = "instruction sets " + cpu.details + "; " +
                std::to_string(cpu::available_threads()) + " threads";
  try {
    cpu.details += "; uses " + std::string(cpu::select_engine().name);
  } catch (const DeviceError& error) {
    cpu.usable = false;
    cpu.details += std::string("; ") + error.what();
  }
  return {cpu, {"opencl", false, "this version computes on the CPU only"}};
}

}  // namespace pdrt
