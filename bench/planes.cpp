// The plane engine by itself: convolutions with all, half and a quarter of kernels and inputs on,
// for every engine this machine can run. One thread; bias, ReLU, mask and dead-plane flags
// included. Times are the thread's own processor time, so that other programs disturb them little.
//
//   planes [--isa name] [--seconds s]
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "cpu/engine.h"
#include "cpu/peak.h"

namespace {

using pdrt::kLanes;
using pdrt::Plane;
using pdrt::cpu::Convolution;
using pdrt::cpu::Engine;
using pdrt::cpu::EpilogueStage;

struct Layer {
  int channels, kernels, size, filter;
};
constexpr Layer kLayers[] = {{64, 64, 56, 3},    {128, 128, 28, 3}, {256, 256, 14, 3},
                             {512, 512, 7, 3},   {256, 64, 56, 1},  {512, 128, 28, 1},
                             {1024, 256, 14, 1}, {2048, 512, 7, 1}};
constexpr double kShares[] = {1, 0.5, 0.25};

int round_up(int x) { return (x + kLanes - 1) / kLanes * kLanes; }

double processor_milliseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

// A share of 0 ... count - 1, spread at random.
std::vector<std::int32_t> some_of(int count, double share, std::mt19937& generator) {
  std::vector<std::int32_t> list(static_cast<std::size_t>(count));
  std::iota(list.begin(), list.end(), 0);
  std::shuffle(list.begin(), list.end(), generator);
  list.resize(static_cast<std::size_t>(count * share));
  std::sort(list.begin(), list.end());
  return list;
}

struct Free {
  void operator()(float* memory) const { std::free(memory); }
};
using Buffer = std::unique_ptr<float[], Free>;

// Random floats that begin where a cache line does, as those of the runtime do.
Buffer random_floats(std::size_t count, std::mt19937& generator) {
  std::uniform_real_distribution<float> uniform(-1, 1);
  const std::size_t bytes = (count * sizeof(float) + 63) / 64 * 64;
  Buffer buffer(static_cast<float*>(std::aligned_alloc(64, bytes)));
  std::generate_n(buffer.get(), count, [&] { return uniform(generator); });
  return buffer;
}

// A layer with its planes and weights.
class Bench {
 public:
  explicit Bench(const Layer& layer) : layer_(layer), generator_(5) {
    plane_.height = plane_.width = layer.size;
    plane_.row = layer.size + layer.filter / 2;
    plane_.lead = round_up(plane_.row + 1);
    plane_.flat = round_up(plane_.height * plane_.row);
    plane_.stride = plane_.lead + plane_.flat + round_up(plane_.row + 1);
    for (int at = 0; at < plane_.flat; ++at) {
      mask_.push_back(at / plane_.row < plane_.height && at % plane_.row < plane_.width ? ~0u : 0u);
    }
    plane_.mask = mask_.data();
    inputs_ = random_floats(static_cast<std::size_t>(layer.channels) * plane_.stride, generator_);
    outputs_ = random_floats(static_cast<std::size_t>(layer.kernels) * plane_.stride, generator_);
    weights_ = random_floats(static_cast<std::size_t>(layer.kernels) * layer.channels * taps(),
                             generator_);
    bias_ = random_floats(static_cast<std::size_t>(layer.kernels), generator_);
    nonzero_.assign(static_cast<std::size_t>(layer.kernels), 0);
    for (int i = 0; i < layer.filter; ++i) {
      for (int j = 0; j < layer.filter; ++j) {
        offsets_.push_back((i - layer.filter / 2) * plane_.row + j - layer.filter / 2);
      }
    }
  }

  // Median milliseconds for each of kShares, taken in turn.
  std::vector<double> measure(const Engine& engine, double seconds) {
    using Clock = std::chrono::steady_clock;
    std::vector<std::vector<double>> times(std::size(kShares));
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    for (int round = -2; round < 7 || Clock::now() < end; ++round) {
      for (std::size_t i = 0; i < std::size(kShares); ++i) {
        // Fresh sets every round: which kernels are on must not be what is measured.
        const std::vector<std::int32_t> kernels = some_of(layer_.kernels, kShares[i], generator_);
        const std::vector<std::int32_t> channels = some_of(layer_.channels, kShares[i], generator_);
        const double start = processor_milliseconds();
        run(engine, kernels, channels);
        const double milliseconds = processor_milliseconds() - start;
        if (round >= 0) times[i].push_back(milliseconds);
      }
    }
    std::vector<double> medians;
    for (std::vector<double>& of_share : times) {
      std::sort(of_share.begin(), of_share.end());
      medians.push_back(of_share[of_share.size() / 2]);
    }
    return medians;
  }

  double gflop() const {
    return 2e-9 * layer_.channels * layer_.kernels * taps() * layer_.size * layer_.size;
  }

 private:
  int taps() const { return layer_.filter * layer_.filter; }

  void run(const Engine& engine, const std::vector<std::int32_t>& kernels,
           const std::vector<std::int32_t>& channels) {
    pointers_.clear();
    for (const std::int32_t c : channels) {
      pointers_.push_back(inputs_.get() + static_cast<std::int64_t>(c) * plane_.stride +
                          plane_.lead);
    }
    const EpilogueStage relu;
    Convolution task;
    task.inputs = pointers_.data();
    task.channel = channels.data();
    task.channels = static_cast<int>(channels.size());
    task.offsets = offsets_.data();
    task.taps = taps();
    task.weights = weights_.get();
    task.weights_row = static_cast<std::int64_t>(layer_.channels) * taps();
    task.bias = bias_.get();
    task.kernels = kernels.data();
    task.kernel_count = static_cast<int>(kernels.size());
    task.output = outputs_.get() + plane_.lead;
    task.plane = &plane_;
    task.epilogue = {&relu, 1};
    task.nonzero = nonzero_.data();
    engine.convolve(task, 0, task.kernel_count, 0, plane_.flat);
  }

  Layer layer_;
  std::mt19937 generator_;
  Plane plane_;
  std::vector<std::uint32_t> mask_;
  Buffer inputs_, outputs_, weights_, bias_;
  std::vector<std::uint8_t> nonzero_;
  std::vector<std::int32_t> offsets_;
  std::vector<const float*> pointers_;
};

}  // namespace

int main(int argc, char** argv) {
  std::string isa;
  double seconds = 0.3;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--isa" && i + 1 < argc) {
      isa = argv[++i];
    } else if (option == "--seconds" && i + 1 < argc) {
      seconds = std::atof(argv[++i]);
    } else {
      std::fprintf(stderr, "usage: planes [--isa name] [--seconds s]\n");
      return 2;
    }
  }
  std::printf("%-9s %-24s %9s %9s %8s %9s %7s %9s %7s\n", "engine", "layer", "dense ms", "GFLOP/s",
              "of peak", "half ms", "faster", "quarter", "faster");
  for (const Engine* engine : pdrt::cpu::engines()) {
    if (!isa.empty() && engine->name != isa) continue;
    const std::string name(engine->name);
    for (const Layer& layer : kLayers) {
      Bench bench(layer);
      const double peak = pdrt::cpu::measured_fma_peak(*engine);
      const std::vector<double> ms = bench.measure(*engine, seconds);
      const double gflops = bench.gflop() / ms[0] * 1e3;
      char text[64];
      std::snprintf(text, sizeof text, "%d->%d %dx%d @%d", layer.channels, layer.kernels,
                    layer.filter, layer.filter, layer.size);
      std::printf("%-9s %-24s %9.3f %9.1f %7.1f%% %9.3f %6.2fx %9.3f %6.2fx\n", name.c_str(), text,
                  ms[0], gflops, 100 * gflops / peak, ms[1], ms[0] / ms[1], ms[2], ms[0] / ms[2]);
    }
  }
  return 0;
}
