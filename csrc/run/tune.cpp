// Measuring the ways to compute each convolution of a model, with some of it on, and fitting costs.

#include "run/device/tune.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <map>

#include "pdrt/error.h"
#include "pdrt/session.h"
#include "run/input_checks.h"
#include "run/plan_cache.h"
#include "run/tuning.h"

namespace pdrt {
namespace {

using plan::ConvolutionForm;
using plan::Cost;
using run::Frame;

constexpr int kTileSizes[] = {2, 4, 6};

// Shares of kernels and of channels that are on in what is measured.
struct Sample {
  double kernels, channels;
  double microseconds = 0;
};
const std::vector<Sample> kSamples = {{1, 1}, {0.5, 0.5}, {0.25, 0.25}, {1, 0.25}, {0.25, 1}};

double thread_microseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) * 1e-3;
}

// So many of `all`, spread evenly or the first ones.
int choose(std::int64_t all, double share, bool spread, std::vector<std::int32_t>& list) {
  const auto count = std::max<std::int64_t>(1, std::llround(static_cast<double>(all) * share));
  for (std::int64_t i = 0; i < count; ++i)
    list[i] = static_cast<std::int32_t>(spread ? i * all / count : i);
  return static_cast<int>(count);
}

// A model's weights rarely stay in the caches from run to run, and what a layer reads and writes
// beside them usually does from step to step: reading as much as all weights, then the arena, has
// the same effect between two measurements.
class Sweep {
 public:
  Sweep(std::size_t weight_bytes, const float* arena, std::size_t arena_bytes)
      : weights_(std::min<std::size_t>(weight_bytes, std::size_t{48} << 20) / sizeof(float), 1.0f),
        arena_(arena),
        arena_floats_(arena_bytes / sizeof(float)) {}
  void operator()() {
    float sum = 0;
    for (std::size_t i = 0; i < weights_.size(); i += kLanes) sum += weights_[i];
    for (std::size_t i = 0; i < arena_floats_; i += kLanes) sum += arena_[i];
    sum_ = sum;
  }

 private:
  std::vector<float> weights_;
  const float* arena_;
  std::size_t arena_floats_;
  volatile float sum_ = 0;  // so that the reading is not left out
};

double measure(const Frame& frame, std::size_t s, int way, const Sample& sample, Sweep& sweep) {
  constexpr int kTimes = 7;
  const plan::Step& step = frame.plan.steps[s];
  const auto& form = std::get<ConvolutionForm>(step.form);
  run::Workspace& work = frame.work;
  double times[kTimes];
  for (double& time : times) {
    cpu::Convolution task = run::task_of(frame, s, 0);
    task.channels = choose(form.channels, sample.channels, true, work.input_channels);
    // In panels, kernels lie side by side and are never off.
    const bool spread = !frame.plan.steps[s].in_panels;
    task.kernel_count = choose(form.kernels, sample.kernels, spread, work.kernels);
    task.kernels = work.kernels.data();
    task.bias = form.bias;
    for (int c = 0; c < task.channels; ++c)
      work.input_planes[c] = frame.plane(step.inputs[0], 0, work.input_channels[c]);
    sweep();
    const double start = thread_microseconds();
    run::way(way).run(frame, {s, task}, frame.packed[s * run::kWays + way]);
    time = thread_microseconds() - start;
  }
  std::nth_element(times, times + kTimes / 2, times + kTimes);
  return times[kTimes / 2];
}

// Least squares of the relative errors; a cost that would be negative is left out.
Cost fit(const Frame& frame, std::size_t s, const std::vector<Sample>& samples) {
  const auto& form = std::get<ConvolutionForm>(frame.plan.steps[s].form);
  bool used[3] = {true, true, true};
  for (;;) {
    double matrix[3][4] = {};
    for (const Sample& sample : samples) {
      const double kernels = static_cast<double>(form.kernels) * sample.kernels,
                   channels = static_cast<double>(form.channels) * sample.channels;
      const double row[3] = {kernels * channels, channels, kernels};
      const double weight = 1 / (sample.microseconds * sample.microseconds);
      for (int i = 0; i < 3; ++i) {
        for (int j = 0; j < 3; ++j)
          matrix[i][j] += used[i] && used[j] ? weight * row[i] * row[j] : 0;
        matrix[i][3] += used[i] ? weight * row[i] * sample.microseconds : 0;
      }
    }
    for (int i = 0; i < 3; ++i) {
      if (!used[i]) matrix[i][i] = 1;
    }
    for (int i = 0; i < 3; ++i) {  // Gauss and Jordan; the matrix is positive definite
      for (int row = 0; row < 3; ++row) {
        if (row == i) continue;
        const double factor = matrix[row][i] / matrix[i][i];
        for (int j = i; j < 4; ++j) matrix[row][j] -= factor * matrix[i][j];
      }
    }
    double cost[3];
    int worst = 0;
    for (int i = 0; i < 3; ++i) {
      cost[i] = matrix[i][3] / matrix[i][i];
      if (cost[i] < cost[worst]) worst = i;
    }
    if (cost[worst] >= 0) return {cost[0], cost[1], cost[2]};
    used[worst] = false;
  }
}

bool is_measured(const plan::Step& step) {
  const auto* form = std::get_if<ConvolutionForm>(&step.form);
  return form && form->groups == 1;
}

}  // namespace

std::vector<TunedLayer> tune(const Model& model, const Options& options,
                             const std::vector<Shape>& shapes,
                             const std::function<void(int done, int total)>& progress) {
  if (options.device.rfind("opencl", 0) == 0)
    return run::device::tune(model, options, shapes, progress);
  if (options.precision != "float32")
    throw InputError("precision '" + options.precision + "' is an OpenCL device's; device '" +
                     options.device + "' computes in float32");
  const Graph& graph = model.graph();
  const cpu::Engine& engine = cpu::select_engine();
  const run::Tuning known = run::read_tuning(run::cache_folder(options.cache_dir), engine);
  const std::vector<Shape> concrete = run::concrete_shapes(graph, shapes);

  std::vector<TunedLayer> layers;
  std::map<std::string, std::size_t> places;  // of a key in `layers`
  plan::CostTable table;
  int done = 0;
  for (int tile : kTileSizes) {
    plan::PlanOptions plan_options;
    plan_options.core = run::core_of(engine);
    plan_options.winograd_tile = tile;
    run::PackedWeights packed;
    const run::PreparedPlan prepared(
        concrete, plan::make_plan(graph, concrete, graph.outputs, plan_options), engine, 1, packed);
    const plan::Plan& plan = prepared.plan();
    run::Workspace workspace(plan);
    auto* floats = reinterpret_cast<float*>(workspace.planes());
    for (std::size_t i = 0; i < plan.arena_bytes() / sizeof(float); ++i)
      floats[i] = static_cast<float>(i % 17) - 8;
    Sweep sweep(graph.weight_bytes, floats, plan.arena_bytes());
    const Frame frame(plan, prepared.packed(), engine, 1, true, workspace);
    std::map<std::string, std::size_t> steps;  // one of each key, in order
    for (std::size_t s = 0; s < plan.steps.size(); ++s) {
      if (!is_measured(plan.steps[s])) continue;
      const std::string key =
          plan::layer_key(std::get<ConvolutionForm>(plan.steps[s].form), plan.steps[s].in_panels);
      if (!steps.emplace(key, s).second || tile != kTileSizes[0]) continue;
      places[key] = layers.size();
      layers.push_back({plan.steps[s].name, key, {}});
    }
    const int total = static_cast<int>(steps.size() * std::size(kTileSizes));
    for (const auto& [key, s] : steps) {
      for (int index = 0; index < run::kWays; ++index) {
        const bool transformed = index == run::kWinograd || index == run::kWinogradInLanes;
        const bool has_tiles = transformed || index == run::kWinogradOfActive;
        if (!run::way(index).possible(plan, s) || (!has_tiles && tile != kTileSizes[0])) continue;
        std::vector<Sample> samples = kSamples;
        for (Sample& sample : samples) {
          sample.microseconds = measure(frame, s, index, sample, sweep);
        }
        const Cost cost = fit(frame, s, samples);
        if (transformed) {
          table[key].winograd[tile / 2 - 1] = cost;
        } else if (index == run::kWinogradOfActive) {
          table[key].of_active[tile / 2 - 1] = cost;
        } else if (index == run::kDirect) {
          table[key].direct = cost;
        } else {
          table[key].strided = cost;
        }
        layers[places.at(key)].ways.push_back(
            {run::name_of_way(plan, s, index), samples[0].microseconds / 1e3,
             samples[1].microseconds / 1e3, samples[2].microseconds / 1e3});
      }
      progress(++done, total);
    }
  }
  run::write_tuning(known, table);
  return layers;
}

}  // namespace pdrt
