#include "run/device/tune.h"

#include <algorithm>
#include <limits>
#include <map>

#include "model/cache_folder.h"
#include "run/device/executor.h"
#include "run/device/programs.h"
#include "run/input_checks.h"
#include "run/plan_cache.h"
#include "run/trial.h"

namespace pdrt::run::device {
namespace {

using plan::ConvolutionForm;

const ConvolutionForm* form_of(const plan::Step& step) {
  const auto* form = std::get_if<ConvolutionForm>(&step.form);
  return form && !form->depthwise() ? form : nullptr;
}

// Milliseconds of the convolutions of a plan, by their first node's name: the least of some runs on
// noise.
std::map<std::string, double> times_of(PreparedPlan& prepared, int threads) {
  std::map<std::string, double> times;
  trial(prepared, cpu::select_engine(), threads, false, true, [&](const run::Workspace& work) {
    for (std::size_t s = 0; s < prepared.plan().steps.size(); ++s) {
      const plan::Step& step = prepared.plan().steps[s];
      if (form_of(step) == nullptr) continue;
      const double time = work.step_milliseconds[s];
      const auto at = times.emplace(step.name, time).first;
      at->second = std::min(at->second, time);
    }
  });
  return times;
}

// Milliseconds that a byte takes from the device to the host or back, about: copied, or handed
// over.
double milliseconds_per_byte(const Device& device) {
  constexpr std::size_t kBytes = std::size_t{1} << 22;
  const bool shared = opencl::shares_memory(device.context.device());
  const opencl::Buffer buffer = device.context.make_buffer(
      kBytes, shared ? opencl::Context::Memory::mapped : opencl::Context::Memory::device);
  std::vector<std::byte> numbers(kBytes);
  double least = std::numeric_limits<double>::max();
  for (int run = 0; run < 5; ++run) {
    const Clock::time_point start = Clock::now();
    if (shared) {
      opencl::Mapping(device.queue, buffer, 0, kBytes).unmap();
      device.queue.finish();
    } else {
      device.queue.write(buffer, 0, numbers.data(), kBytes, true);
      device.queue.read(buffer, 0, numbers.data(), kBytes, true);
    }
    least = std::min(least, milliseconds_between(start, Clock::now()) / 2);
  }
  return least / kBytes;
}

}  // namespace

std::vector<TunedLayer> tune(const Model& model, const Options& options,
                             const std::vector<Shape>& shapes,
                             const std::function<void(int done, int total)>& progress) {
  const Graph& graph = model.graph();
  const std::vector<Shape> concrete = run::concrete_shapes(graph, shapes);
  const opencl::DeviceInfo& info = opencl::select(options.device);
  DeviceOptions wanted = device_options(options, info);
  wanted.fallback_to_host = true;
  wanted.traced = true;
  const WayTuning known = read_ways(cache_folder(options.cache_dir), info, wanted.half_arithmetic);
  const std::vector<Way> ways = ways_on(info);
  const int threads = options.threads == 0 ? cpu::available_threads() : options.threads;
  const int total = static_cast<int>(ways.size()) + 1;

  std::vector<TunedLayer> layers;
  std::map<std::string, std::size_t> places;  // of a key in `layers`
  std::map<std::string, double> least;        // by key
  std::map<std::string, double> moved_bytes;  // by key: planes in and out of a layer
  WayTable fastest;
  double per_byte = 0;
  const auto note = [&](const plan::Plan& plan, const std::map<std::string, double>& times,
                        const Way& way, const std::string& name) {
    for (const plan::Step& step : plan.steps) {
      const ConvolutionForm* form = form_of(step);
      if (form == nullptr || !possible(way, *form)) continue;
      const std::string key = way_key(*form, step.layer->samples);
      if (places.emplace(key, layers.size()).second) layers.push_back({step.name, key, {}});
      TunedLayer& layer = layers[places[key]];
      if (!layer.ways.empty() && layer.ways.back().name == name) continue;  // of an equal layer
      double time = times.at(step.name);
      if (way.host) time += moved_bytes[key] * per_byte;
      layer.ways.push_back({name, time, 0, 0});
      if (least.emplace(key, time).second || time < least[key]) {
        least[key] = time;
        fastest[key] = name_of(way);
      }
    }
  };

  int done = 0;
  for (const Way& way : ways) {
    WayTuning forced;
    plan::PlanOptions plan_options;
    plan_options.on_device = [](const plan::Plan& plan, const plan::Step& step) {
      return answer_for(plan, step, {});
    };
    auto plan = plan::make_plan(graph, concrete, graph.outputs, plan_options);
    for (const plan::Step& step : plan->steps) {
      const ConvolutionForm* form = form_of(step);
      if (form == nullptr) continue;
      const std::string key = way_key(*form, step.layer->samples);
      forced.ways[key] = name_of(way);
      const auto bytes_of = [&](ValueId id) {
        return static_cast<double>(count_of(plan->value(id).shape)) * sizeof(float);
      };
      moved_bytes[key] = bytes_of(step.inputs[0]) + bytes_of(step.outputs[0]);
    }
    Device device(opencl::Context(info, options.cache_dir), wanted, forced, nullptr);
    PackedWeights packed;
    PreparedPlan prepared(concrete, std::move(plan), cpu::select_engine(), threads, packed, &device,
                          false, false);
    note(prepared.plan(), times_of(prepared, threads), way,
         "opencl " + (way.winograd != 0 ? name_of(way) : "convolution " + name_of(way)));
    per_byte = milliseconds_per_byte(device);
    progress(++done, total);
  }
  const Way on_host{0, true, std::nullopt};
  PackedWeights packed;
  PreparedPlan prepared(concrete, plan::make_plan(graph, concrete, graph.outputs, {}),
                        cpu::select_engine(), threads, packed);
  note(prepared.plan(), times_of(prepared, threads), on_host, "cpu, with the way there and back");
  progress(++done, total);
  write_ways(known, fastest, info);
  return layers;
}

}  // namespace pdrt::run::device
