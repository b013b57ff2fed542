#include "pdrt/session.h"

#include <algorithm>
#include <initializer_list>
#include <mutex>

#include "cpu/pool.h"
#include "cpu/processor.h"
#include "model/output_specs.h"
#include "pdrt/error.h"
#include "run/device/device.h"
#include "run/device/programs.h"
#include "run/finite.h"
#include "run/input_checks.h"
#include "run/plan_cache.h"
#include "run/statistics.h"
#include "run/tuning.h"

namespace pdrt {
namespace {

bool is_opencl(const std::string& device) {
  return device == "opencl" || device.rfind("opencl:", 0) == 0;
}

void one_of(const char* option, const std::string& given,
            std::initializer_list<const char*> allowed) {
  std::string names;
  for (const char* name : allowed) {
    if (given == name) return;
    names += (names.empty() ? "'" : ", '") + std::string(name) + "'";
  }
  throw InputError(std::string(option) + " is '" + given + "'; it must be one of " + names);
}

run::Switches switches_of(const Options& options) {
  if (options.switches == "cpu") return run::Switches::host;
  return options.switches == "device" ? run::Switches::device : run::Switches::measured;
}

// The device that the options name, where it is not the CPU.
std::unique_ptr<run::device::Device> open_device(const Options& options) {
  if (!is_opencl(options.device) && options.opencl_context == nullptr) return nullptr;
  opencl::Context context =
      options.opencl_context == nullptr
          ? opencl::Context(opencl::select(options.device), options.cache_dir)
          : opencl::Context(static_cast<opencl::cl_context>(options.opencl_context),
                            static_cast<opencl::cl_device_id>(options.opencl_device),
                            options.cache_dir);
  const run::device::DeviceOptions wanted = run::device::device_options(options, context.device());
  run::device::WayTuning ways = run::device::read_ways(run::cache_folder(options.cache_dir),
                                                       context.device(), wanted.half_arithmetic);
  return std::make_unique<run::device::Device>(
      std::move(context), wanted, std::move(ways),
      static_cast<opencl::cl_command_queue>(options.opencl_queue));
}

const Options& checked(const Options& options) {
  if (options.threads < 0) {
    throw InputError("threads is " + std::to_string(options.threads) +
                     "; it must be 0 (all there are) or more");
  }
  const std::string& device = options.device;
  if (device != "auto" && device != "cpu" && device != "reference" && !is_opencl(device)) {
    throw DeviceError(
        "device '" + device +
        "' is none: there are \"auto\", \"cpu\", \"opencl\", \"opencl:1\" and so on, and "
        "\"reference\", the specification");
  }
  one_of("fallback", options.fallback, {"error", "cpu"});
  one_of("switches", options.switches, {"cpu", "device", "auto"});
  one_of("precision", options.precision, {"float32", "float16", "float16-arithmetic"});
  if (options.precision != "float32" && !is_opencl(device)) {
    throw InputError("precision '" + options.precision +
                     "' is how an OpenCL device stores planes; device '" + device +
                     "' computes in float32");
  }
  return options;
}

std::vector<ValueId> chosen_outputs(const Graph& graph, const std::vector<std::string>& names) {
  if (names.empty()) return graph.outputs;
  std::vector<ValueId> outputs;
  for (const std::string& name : names) outputs.push_back(run::find_value(graph, name));
  return outputs;
}

std::vector<Spec> specs_of(const Graph& graph, const std::vector<ValueId>& outputs) {
  if (outputs == graph.outputs) return graph.output_specs;
  Graph selected = graph;
  selected.outputs = outputs;
  return output_specs_of(selected);
}

}  // namespace

struct Session::State {
  State(const Model& model, const Options& options)
      : model(model),
        options(checked(options)),
        threads(options.threads == 0 ? cpu::available_threads() : options.threads),
        engine(cpu::select_engine()),
        outputs(chosen_outputs(graph(), options.outputs)),
        output_specs(specs_of(graph(), outputs)),
        tuning(run::read_tuning(run::cache_folder(options.cache_dir), engine)),
        device(open_device(options)),
        plans(graph(), outputs, plan_options(), engine, threads, device.get(), options.skip,
              switches_of(options)) {
    if (!run::is_concrete(graph())) return;  // planned when the first shapes arrive
    std::vector<Shape> shapes;
    for (const Spec& spec : graph().input_specs) shapes.push_back(spec.shape);
    plans.get(shapes);
  }

  const Graph& graph() const { return model.graph(); }

  plan::PlanOptions plan_options() const {
    plan::PlanOptions result;
    result.reference = options.device == "reference";
    result.core = run::core_of(engine);
    result.measured = tuning.costs;
    result.memory_apart = !device && threads > 1 && cpu::shared_lines_are_dear();
    if (device) {
      result.on_device = [this](const plan::Plan& plan, const plan::Step& step) {
        return run::device::answer_for(plan, step, device->ways.ways);
      };
    }
    return result;
  }

  std::string device_name() const {
    if (options.device == "reference") return "reference";
    if (device) {
      const opencl::DeviceInfo& info = device->context.device();
      return options.device + " (" + info.name + ", " + info.platform_name + ")";
    }
    return "cpu (" + std::string(engine.name) + ", " + std::to_string(threads) +
           (threads == 1 ? " thread)" : " threads)");
  }

  // Runs once; `outputs_for` gives the memory of the outputs, whose shapes the frame's plan knows.
  template <typename Outputs>
  void run(const std::vector<TensorView>& inputs, RunStats* stats, const Outputs& outputs_for) {
    const auto start = run::Clock::now();
    if (inputs.size() != graph().inputs.size()) {
      throw InputError(graph().source + ": " + std::to_string(inputs.size()) +
                       " inputs given, the model takes " + std::to_string(graph().inputs.size()));
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      run::check_input(graph(), graph().input_specs[i], inputs[i]);
      if (inputs[i].buffer != nullptr) check_buffer(graph().input_specs[i].name, inputs[i]);
    }
    const std::shared_ptr<run::PreparedPlan> prepared = plans.get(inputs);
    std::unique_ptr<run::Workspace> workspace = prepared->take();
    const run::Frame frame(prepared->plan(), prepared->packed(), engine, threads, options.skip,
                           *workspace);
    const run::Executor& executor = prepared->executor();
    workspace->host_trace.begin(options.profile);
    {
      const auto mark = workspace->host_trace.mark("take inputs");
      executor.load(frame, inputs);
    }
    executor.run(frame, options.profile);
    {
      const auto mark = workspace->host_trace.mark("give outputs");
      executor.store(frame, outputs_for(frame));
    }
    const double milliseconds = run::milliseconds_between(start, run::Clock::now());
    {
      const std::lock_guard<std::mutex> lock(last_mutex);
      run::collect(frame, last);
      last.milliseconds = milliseconds;
      if (options.profile) {
        run::collect_trace(frame, start, last);
        executor.trace(frame, start, last);
      }
      if (stats) *stats = last;
    }
    prepared->give_back(std::move(workspace));
  }

  // The same with outputs of its own.
  std::vector<Tensor> run(const std::map<std::string, TensorView>& inputs, RunStats* stats) {
    std::vector<Tensor> results;
    run(run::in_order(graph(), inputs), stats, [&](const run::Frame& frame) {
      std::vector<TensorView> views;
      for (ValueId id : frame.plan.program.outputs) {
        const plan::Value& value = frame.plan.value(id);
        results.emplace_back(value.dtype, value.shape);
        views.push_back(results.back().view());
      }
      return views;
    });
    return results;
  }

  // Whether an array on a device can be taken from there.
  void check_buffer(const std::string& name, const TensorView& view) const {
    const std::string what = graph().source + ": '" + name + "' is on an OpenCL device";
    if (!device) throw InputError(what + ", and this session computes on the " + options.device);
    for (int d = 0; d < view.rank; ++d) {
      if (view.strides[d] < 0) throw InputError(what + " and has negative strides");
    }
    if (view.offset % size_of(view.dtype) != 0)
      throw InputError(what + " and begins between two elements");
  }

  const Model model;
  const Options options;
  const int threads;
  const cpu::Engine& engine;
  const std::vector<ValueId> outputs;
  const std::vector<Spec> output_specs;
  const run::Tuning tuning;
  const std::unique_ptr<run::device::Device> device;  // nullptr: the CPU
  run::PlanCache plans;
  std::mutex last_mutex;
  RunStats last;
};

Session::Session(const Model& model, const Options& options)
    : state_(std::make_unique<State>(model, options)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

const std::vector<Spec>& Session::inputs() const { return state_->graph().input_specs; }
const std::vector<Spec>& Session::outputs() const { return state_->output_specs; }

std::vector<Tensor> Session::run(const std::map<std::string, TensorView>& inputs) {
  return state_->run(inputs, nullptr);
}

std::vector<Tensor> Session::run(const std::map<std::string, TensorView>& inputs, RunStats& stats) {
  return state_->run(inputs, &stats);
}

void Session::run_into(const std::vector<TensorView>& inputs,
                       const std::vector<TensorView>& outputs, RunStats* stats) {
  state_->run(inputs, stats, [&](const run::Frame& frame) -> const std::vector<TensorView>& {
    const std::vector<ValueId>& ids = frame.plan.program.outputs;
    const std::string& source = state_->graph().source;
    if (outputs.size() != ids.size()) {
      throw InputError(source + ": " + std::to_string(outputs.size()) +
                       " output buffers given, the session has " + std::to_string(ids.size()) +
                       " outputs");
    }
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const plan::Value& value = frame.plan.value(ids[i]);
      if (outputs[i].buffer != nullptr)
        state_->check_buffer(state_->output_specs[i].name, outputs[i]);
      if (outputs[i].dtype != value.dtype || !outputs[i].contiguous() ||
          !outputs[i].has_shape_of(frame.plan.values[ids[i]].view)) {
        throw InputError(source + ": the buffer for output '" + state_->output_specs[i].name +
                         "' must be contiguous " + name_of(value.dtype) + " " +
                         to_string(value.shape));
      }
    }
    return outputs;
  });
}

void Session::check_finite(const std::map<std::string, TensorView>& inputs) const {
  const std::vector<TensorView> views = run::in_order(state_->graph(), inputs);
  for (std::size_t i = 0; i < views.size(); ++i) {
    run::check_finite(state_->graph().source, state_->graph().input_specs[i], views[i],
                      state_->engine, state_->threads);
  }
}

std::vector<Shape> Session::output_shapes(const std::vector<Shape>& shapes) const {
  const auto prepared = state_->plans.get(run::concrete_shapes(state_->graph(), shapes));
  std::vector<Shape> outputs;
  for (ValueId id : prepared->plan().program.outputs)
    outputs.push_back(prepared->plan().value(id).shape);
  return outputs;
}

RunStats Session::last_run() const {
  const std::lock_guard<std::mutex> lock(state_->last_mutex);
  return state_->last;
}

Explanation Session::explain(const std::vector<Shape>& shapes) const {
  const std::vector<Shape> concrete = run::concrete_shapes(state_->graph(), shapes);
  Explanation result = run::explain(*state_->plans.get(concrete), state_->device_name());
  if (state_->device) {
    result.programs = opencl::text_of(state_->device->context.programs());
    const run::device::WayTuning& ways = state_->device->ways;
    result.costs = !ways.ignored.empty() ? "expected: " + ways.file + " is ignored: " + ways.ignored
                   : ways.ways.empty()   ? "expected; 'pdrt tune --device' measures them"
                                         : "measured on this device, " + ways.file;
    return result;
  }
  const run::Tuning& tuning = state_->tuning;
  result.costs = tuning.costs ? "measured on this machine, " + tuning.file
                 : tuning.ignored.empty()
                     ? "expected; 'pdrt tune' measures them"
                     : "expected: " + tuning.file + " is ignored: " + tuning.ignored;
  return result;
}

}  // namespace pdrt
