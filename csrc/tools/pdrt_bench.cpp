// pdrt-bench: how long a model takes, how much of it was computed, and how near that is to what the
// machine can do.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "cpu/engine.h"
#include "cpu/peak.h"
#include "cpu/pool.h"
#include "pdrt/pdrt.h"
#include "tools/arguments.h"

namespace {

using pdrt::Tensor;
using pdrt::TensorView;
using Clock = std::chrono::steady_clock;

const std::string kAbout =
    "pdrt-bench MODEL.pdrt [options]: time a model on random inputs.\n"
    "\n"
    "  pdrt-bench net.pdrt --threads 1             what one core does\n"
    "  pdrt-bench net.pdrt --threads 1 --no-skip   the same with every kernel computed\n"
    "  pdrt-bench net.pdrt --shape image=8x3x32x32 a batch of eight\n"
    "\n"
    "A network with switches computes what its input needs, so random inputs say little about\n"
    "pictures: compare the executed multiply-adds, or use `pdrt bench --input` from Python.\n"
    "PDRT_ISA=avx512|avx2|neon|portable picks the instruction set.\n";

const std::vector<pdrt::tools::Option> kOptions = {
    {"--runs", "N", "timed runs (50)"},
    {"--warmup", "N", "runs before them (5)"},
    {"--threads", "N", "threads; 0: all this process may use (0)"},
    {"--no-skip", "", "compute every kernel"},
    {"--shape", "NAME=AxBxC",
     "shape of an input with free dimensions (they are 1); may be repeated"},
    {"--json", "", "print one JSON object"},
    {"--help", "", "print this"},
};

double milliseconds(Clock::time_point from) {
  return std::chrono::duration<double, std::milli>(Clock::now() - from).count();
}

double peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

pdrt::Shape parse_shape(const std::string& text, const std::string& option) {
  pdrt::Shape shape;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, 'x');) {
    if (part.empty() || part.size() > 9 ||
        part.find_first_not_of("0123456789") != std::string::npos) {
      throw pdrt::InputError("option '--shape " + option + "' needs a form like image=1x3x224x224");
    }
    shape.push_back(std::stoll(part));
  }
  return shape;
}

// The shape each input is run with: what --shape gives, with 1 for the free dimensions of the
// others.
std::vector<pdrt::Shape> input_shapes(const std::vector<pdrt::Spec>& inputs,
                                      const std::vector<std::string>& given) {
  std::vector<pdrt::Shape> shapes;
  for (const pdrt::Spec& spec : inputs) {
    shapes.push_back(spec.shape);
    for (std::int64_t& dim : shapes.back()) dim = std::max<std::int64_t>(dim, dim < 0 ? 1 : 0);
  }
  for (const std::string& option : given) {
    const std::size_t equals = option.rfind('=');
    const std::string name = option.substr(0, equals);
    const auto input = std::find_if(inputs.begin(), inputs.end(),
                                    [&](const pdrt::Spec& spec) { return spec.name == name; });
    if (equals == std::string::npos || input == inputs.end()) {
      throw pdrt::InputError("option '--shape " + option + "' names no input of this model");
    }
    shapes[static_cast<std::size_t>(input - inputs.begin())] =
        parse_shape(option.substr(equals + 1), option);
  }
  return shapes;
}

// Normally distributed reals, zeros for every other type.
Tensor random_tensor(pdrt::DType dtype, const pdrt::Shape& shape, std::mt19937& generator) {
  Tensor tensor(dtype, shape);
  std::normal_distribution<float> normal;
  if (dtype == pdrt::DType::f32) {
    for (std::int64_t i = 0; i < tensor.count(); ++i) tensor.as<float>()[i] = normal(generator);
  } else if (dtype == pdrt::DType::f64) {
    for (std::int64_t i = 0; i < tensor.count(); ++i) tensor.as<double>()[i] = normal(generator);
  } else {
    std::memset(tensor.data(), 0, tensor.bytes());
  }
  return tensor;
}

struct Result {
  std::string device;
  double load_ms = 0, plan_ms = 0, first_ms = 0, p50_ms = 0, p90_ms = 0, p99_ms = 0, min_ms = 0;
  double macs_dense = 0, macs_executed = 0, gflops = 0, peak_gflops = 0, peak_mb = 0;
  int runs = 0, threads = 0;
};

double percentile(const std::vector<double>& sorted, int percent) {
  const std::size_t rank = (sorted.size() * static_cast<std::size_t>(percent) + 99) / 100;
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

Result measure(const pdrt::tools::Arguments& arguments) {
  Result result;
  result.runs = arguments.integer("--runs", 50, 1);
  pdrt::Options options;
  options.device = "cpu";
  options.threads = arguments.integer("--threads", 0, 0);
  options.skip = !arguments.has("--no-skip");

  auto start = Clock::now();
  const pdrt::Model model = pdrt::Model::load(arguments.files().front());
  result.load_ms = milliseconds(start);
  start = Clock::now();
  pdrt::Session session(model, options);
  result.plan_ms = milliseconds(start);

  const std::vector<pdrt::Shape> shapes = input_shapes(session.inputs(), arguments.all("--shape"));
  std::mt19937 generator(1);
  std::vector<Tensor> tensors;
  std::map<std::string, TensorView> inputs;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const pdrt::Spec& spec = session.inputs()[i];
    tensors.push_back(random_tensor(spec.dtype, shapes[i], generator));
    inputs[spec.name] = tensors.back().view();
  }

  pdrt::RunStats stats;
  start = Clock::now();
  session.run(inputs, stats);
  result.first_ms = milliseconds(start);
  for (int i = arguments.integer("--warmup", 5, 0); i > 0; --i) session.run(inputs);
  std::vector<double> times;
  for (int i = 0; i < result.runs; ++i) {
    start = Clock::now();
    session.run(inputs);
    times.push_back(milliseconds(start));
  }
  std::sort(times.begin(), times.end());
  result.min_ms = times.front();
  result.p50_ms = percentile(times, 50);
  result.p90_ms = percentile(times, 90);
  result.p99_ms = percentile(times, 99);

  result.device = session.explain(shapes).device;
  result.threads = options.threads > 0 ? options.threads : pdrt::cpu::available_threads();
  result.macs_dense = static_cast<double>(stats.macs_dense);
  result.macs_executed = static_cast<double>(stats.macs_executed);
  result.gflops = 2 * result.macs_executed / (result.p50_ms * 1e6);
  result.peak_gflops = pdrt::cpu::measured_fma_peak(pdrt::cpu::select_engine()) * result.threads;
  result.peak_mb = peak_megabytes();
  return result;
}

void print_text(const Result& r) {
  const double share = r.macs_dense > 0 ? 100 * r.macs_executed / r.macs_dense : 100;
  std::printf("device        %s\n", r.device.c_str());
  std::printf("load          %8.2f ms\n", r.load_ms);
  std::printf("plan          %8.2f ms\n", r.plan_ms);
  std::printf("first run     %8.2f ms\n", r.first_ms);
  std::printf("%4d runs     %8.3f ms P50   %.3f P90   %.3f P99   %.3f least\n", r.runs, r.p50_ms,
              r.p90_ms, r.p99_ms, r.min_ms);
  std::printf("multiply-adds %8.2f million of %.2f (%.1f %%)\n", r.macs_executed / 1e6,
              r.macs_dense / 1e6, share);
  std::printf("speed         %8.1f GFLOP/s, %.0f %% of %.0f measured on %d thread%s\n", r.gflops,
              100 * r.gflops / r.peak_gflops, r.peak_gflops, r.threads, r.threads == 1 ? "" : "s");
  std::printf("peak memory   %8.1f MiB\n", r.peak_mb);
}

void print_json(const Result& r) {
  std::printf(
      "{\"device\": \"%s\", \"threads\": %d, \"runs\": %d, \"load_ms\": %.4f, \"plan_ms\": %.4f, "
      "\"first_ms\": %.4f, \"p50_ms\": %.5f, \"p90_ms\": %.5f, \"p99_ms\": %.5f, \"min_ms\": %.5f, "
      "\"macs_dense\": %.0f, \"macs_executed\": %.0f, \"gflops\": %.3f, \"peak_gflops\": %.3f, "
      "\"peak_mib\": %.2f}\n",
      r.device.c_str(), r.threads, r.runs, r.load_ms, r.plan_ms, r.first_ms, r.p50_ms, r.p90_ms,
      r.p99_ms, r.min_ms, r.macs_dense, r.macs_executed, r.gflops, r.peak_gflops, r.peak_mb);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const pdrt::tools::Arguments arguments(argc, argv, kOptions);
    if (arguments.has("--help")) {
      std::cout << pdrt::tools::help(kAbout, kOptions);
      return 0;
    }
    if (arguments.files().size() != 1) {
      throw pdrt::InputError("name exactly one model: pdrt-bench MODEL.pdrt; --help says more");
    }
    const Result result = measure(arguments);
    arguments.has("--json") ? print_json(result) : print_text(result);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "pdrt-bench: " << error.what() << "\n";
    return 2;
  }
}
