// Convolutions of every engine this machine can run, against plain loops in double precision, on
// random shapes.
#include <algorithm>
#include <cstdio>
#include <numeric>
#include <string>

#include "check.h"
#include "planes.h"
#include "planes/panels.h"

namespace {

using namespace planes;
using pdrt::cpu::Convolution;
using pdrt::cpu::Engine;

constexpr double kTolerance = 2e-4;

// A filter, and the planes it slides over: enough gap and border that every tap of a pixel is a
// pixel or a zero.
struct Filter {
  int rows, columns, dilation, top, left, gap;
  std::vector<std::int32_t> offsets;
  int reach_back = 0, reach_on = 0;  // floats in front of and behind the flat range that taps reach

  explicit Filter(Random& random)
      : rows(random.chance(0.5) ? 3 : random.between(1, 4)),
        columns(random.chance(0.5) ? rows : random.between(1, 4)),
        dilation(random.chance(0.7) ? 1 : random.between(2, 3)),
        top(random.between(0, (rows - 1) * dilation)),
        left(random.between(0, (columns - 1) * dilation)),
        gap(std::max(left, (columns - 1) * dilation - left) + random.between(0, 2)) {}

  // As many rows and columns, no more gap than they need.
  explicit Filter(int size)
      : rows(size), columns(size), dilation(1), top(size / 2), left(size / 2), gap(size / 2) {}

  void place(const Plane& plane) {
    for (int i = 0; i < rows; ++i) {
      for (int j = 0; j < columns; ++j) {
        const int offset = (i * dilation - top) * plane.row + j * dilation - left;
        offsets.push_back(offset);
        reach_back = std::max(reach_back, -offset);
        reach_on = std::max(reach_on, offset);
      }
    }
  }
  int taps() const { return rows * columns; }
};

// An input plane in a buffer that ends exactly where the taps' reach does.
class Input {
 public:
  Input(Random& random, const Geometry& geometry, const Filter& filter)
      : lead_(filter.reach_back),
        memory_(static_cast<std::size_t>(lead_ + geometry.plane.flat + filter.reach_on), 0.0f) {
    for (int at = 0; at < geometry.plane.flat; ++at) {
      if (!geometry.is_pixel(at)) continue;
      // Now and then a number that spoils everything it meets: it must not get past the mask.
      memory_[static_cast<std::size_t>(lead_ + at)] =
          random.chance(0.0005)
              ? (random.chance(0.5) ? kNaN : std::numeric_limits<float>::infinity())
              : random.real();
    }
  }
  const float* data() const { return memory_.data() + lead_; }

 private:
  int lead_;
  std::vector<float> memory_;
};

double sum_of_taps(const Filter& filter, const float* in, const Plane& plane, int y, int x,
                   const float* weights) {
  double sum = 0;
  for (int i = 0; i < filter.rows; ++i) {
    for (int j = 0; j < filter.columns; ++j) {
      const int from_y = y + i * filter.dilation - filter.top;
      const int from_x = x + j * filter.dilation - filter.left;
      if (from_y < 0 || from_y >= plane.height || from_x < 0 || from_x >= plane.width) continue;
      sum += static_cast<double>(weights[i * filter.columns + j]) * in[from_y * plane.row + from_x];
    }
  }
  return sum;
}

// What surrounds a convolution: geometry, output planes for all kernels, flags.
struct Setting {
  Geometry geometry;
  Guarded output;
  std::vector<std::uint8_t> nonzero;

  Setting(int height, int width, int gap, int kernels, Random& random)
      : geometry(height, width, gap, random.between(0, 40), random.between(0, 40)),
        output(static_cast<std::int64_t>(kernels) * geometry.plane.stride),
        nonzero(static_cast<std::size_t>(kernels), 0) {}
  float* plane_of(int k) {
    return output.data() + geometry.plane.lead +
           static_cast<std::int64_t>(k) * geometry.plane.stride;
  }
};

// Every stored float against expected(k, y, x); what must not be touched; the flags; and a second
// run in pieces, bit by bit.
template <typename Task, typename Run, typename Expected>
void check_outputs(Random& random, Setting& setting, Task& task, const Run& run,
                   const Expected& expected, const std::string& what) {
  const Plane& plane = setting.geometry.plane;
  task.output = setting.plane_of(0);
  task.plane = &plane;
  task.nonzero = setting.nonzero.data();
  run(task, 0, task.kernel_count, 0, plane.flat);
  int wrong = 0;
  int spoiled = 0;
  int flags = 0;
  const int kernels = static_cast<int>(setting.nonzero.size());
  std::vector<bool> active(static_cast<std::size_t>(kernels), false);
  for (int i = 0; i < task.kernel_count; ++i)
    active[static_cast<std::size_t>(task.kernels[i])] = true;
  for (int k = 0; k < kernels; ++k) {
    const float* out = setting.plane_of(k);
    bool seen = false;
    for (int at = -plane.lead; at < plane.stride - plane.lead; ++at) {
      const bool written = active[static_cast<std::size_t>(k)] && at >= 0 && at < plane.flat;
      if (!written) {
        spoiled += bits(out[at]) != bits(kNaN);
      } else if (!setting.geometry.is_pixel(at)) {
        wrong += bits(out[at]) != 0;
      } else {
        seen |= out[at] != 0;
        wrong += !close(expected(k, at / plane.row, at % plane.row), out[at], kTolerance);
      }
    }
    flags += (setting.nonzero[static_cast<std::size_t>(k)] != 0) != seen;
  }
  if (wrong + spoiled + flags > 0) std::fprintf(stderr, "%s\n", what.c_str());
  CHECK(wrong == 0);
  CHECK(spoiled == 0);
  CHECK(flags == 0);
  CHECK(setting.output.intact());

  Guarded again(setting.output.size());
  std::vector<std::uint8_t> nonzero(setting.nonzero.size(), 0);
  task.output = again.data() + plane.lead;
  task.nonzero = nonzero.data();
  in_pieces(random, task.kernel_count, plane.flat,
            [&](int first, int last, int begin, int end) { run(task, first, last, begin, end); });
  CHECK(same(again.data(), setting.output.data(), again.size()));
  CHECK(nonzero == setting.nonzero);
  task.nonzero = nullptr;  // allowed
  run(task, 0, task.kernel_count, 0, plane.flat);
}

std::string describe(const Engine& engine, const char* what, const Plane& plane,
                     const Filter& filter, int kernels, int channels, int stages) {
  return std::string(engine.name) + " " + what + " " + std::to_string(plane.height) + "x" +
         std::to_string(plane.width) + " row " + std::to_string(plane.row) + ", filter " +
         std::to_string(filter.rows) + "x" + std::to_string(filter.columns) + ", " +
         std::to_string(kernels) + " kernels, " + std::to_string(channels) + " channels, " +
         std::to_string(stages) + " stages";
}

// Kernels side by side, as they are where weights lie in panels.
std::vector<std::int32_t> neighbours(Random& random, int kernels) {
  std::vector<std::int32_t> list(static_cast<std::size_t>(random.between(1, kernels)));
  std::iota(list.begin(), list.end(), random.between(0, kernels - static_cast<int>(list.size())));
  return list;
}

// Planes without a mask, and with nothing but sums asked for: the same bits where pixels are, and
// nothing beside the planes of active kernels.
void test_sums_alone(const Engine& engine, Convolution task, int kernels) {
  const Plane& plane = *task.plane;
  Plane bare = plane;
  bare.mask = nullptr;
  task.bias = nullptr;
  task.epilogue = {};
  Guarded expected(std::int64_t{1} * kernels * plane.stride), sums(expected.size());
  for (Guarded* output : {&expected, &sums}) {
    task.plane = output == &sums ? &bare : &plane;
    task.output = output->data() + plane.lead;
    engine.convolve(task, 0, task.kernel_count, 0, plane.flat);
  }
  int wrong = 0, spoiled = 0;
  for (std::int64_t at = 0; at < sums.size(); ++at) {
    const std::int64_t pixel = at % plane.stride - plane.lead;
    const bool inside = pixel >= 0 && pixel < plane.flat;
    if (bits(expected.data()[at]) == bits(kNaN) || !inside) {
      spoiled += bits(sums.data()[at]) != bits(kNaN);
    } else if (plane.mask[pixel] != 0) {
      wrong += bits(sums.data()[at]) != bits(expected.data()[at]);
    }
  }
  CHECK(wrong == 0);
  CHECK(spoiled == 0);
  CHECK(sums.intact());
}

void test_convolve(const Engine& engine, Random& random, Filter filter, int channels, int kernels,
                   int height, int width, bool in_panels = false) {
  Setting setting(height, width, filter.gap, kernels, random);
  const Plane& plane = setting.geometry.plane;
  filter.place(plane);

  const std::vector<std::int32_t> active_kernels =
      in_panels ? neighbours(random, kernels) : random.some_of(kernels, false);
  std::vector<std::int32_t> active_channels = random.some_of(channels, true);
  if (in_panels && random.chance(0.5)) std::reverse(active_channels.begin(), active_channels.end());
  std::vector<Input> inputs;
  std::vector<const float*> pointers;
  for (std::size_t c = 0; c < active_channels.size(); ++c)
    inputs.emplace_back(random, setting.geometry, filter);
  for (const Input& input : inputs) pointers.push_back(input.data());
  // Weights of whatever is switched off are NaN: nobody may look at them.
  const auto first_weight = [&](int k, int c) {
    return static_cast<std::size_t>(in_panels ? pdrt::panel_place(k, channels) + c * kLanes
                                              : (k * channels + c) * filter.taps());
  };
  std::vector<float> weights(
      static_cast<std::size_t>(in_panels ? pdrt::panel_floats(kernels, channels)
                                         : kernels * channels * filter.taps()),
      kNaN);
  for (const int k : active_kernels) {
    for (const int c : active_channels) {
      for (int t = 0; t < filter.taps(); ++t)
        weights[first_weight(k, c) + static_cast<std::size_t>(t)] = random.real();
    }
  }
  std::vector<float> bias(static_cast<std::size_t>(kernels), kNaN);
  for (const int k : active_kernels) bias[static_cast<std::size_t>(k)] = random.real();
  const RandomEpilogue epilogue(random, kernels, plane.flat, true);

  Convolution task;
  task.inputs = pointers.data();
  task.channel = active_channels.data();
  task.channels = static_cast<int>(active_channels.size());
  task.offsets = filter.offsets.data();
  task.taps = filter.taps();
  task.weights = weights.data();
  task.weights_row = channels * filter.taps();
  task.in_panels = in_panels;
  task.bias = random.chance(0.7) ? bias.data() : nullptr;
  task.kernels = active_kernels.data();
  task.kernel_count = static_cast<int>(active_kernels.size());
  task.epilogue = epilogue.epilogue;
  const auto expected = [&](int k, int y, int x) {
    double sum = task.bias != nullptr ? task.bias[k] : 0;
    for (int c = 0; c < task.channels; ++c) {
      sum += sum_of_taps(filter, pointers[static_cast<std::size_t>(c)], plane, y, x,
                         weights.data() + first_weight(k, task.channel[c]));
    }
    return reference_epilogue(task.epilogue, k, y * plane.row + x, sum);
  };
  check_outputs(random, setting, task, engine.convolve, expected,
                describe(engine, in_panels ? "convolve in panels" : "convolve", plane, filter,
                         task.kernel_count, task.channels, task.epilogue.count));
  test_sums_alone(engine, task, kernels);
}

void test_random_convolve(const Engine& engine, Random& random, int most_channels) {
  const int limit = random.chance(0.2) ? 40 : 14;
  const int channels = random.between(1, most_channels);
  const int kernels = random.between(1, 20);
  const int height = random.between(1, limit);
  test_convolve(engine, random, Filter(random), channels, kernels, height,
                random.between(1, limit));
}

// Every number of pixels past whole groups after every number of vectors, in one row and in
// several; kernels for every size of tile.
void test_sizes(const Engine& engine, Random& random) {
  for (int pixels = 1; pixels <= 5 * kLanes; ++pixels) {
    const int kernels = 1 + pixels % 26;
    test_convolve(engine, random, Filter(1), random.between(60, 140), kernels, 1, pixels);
    test_convolve(engine, random, Filter(1), random.between(60, 140), kernels, pixels, 1);
    test_convolve(engine, random, Filter(3), random.between(8, 40), kernels, 2, pixels);
    test_convolve(engine, random, Filter(3), random.between(8, 40), 27 - kernels, pixels, 3);
    // More inputs than weights are asked for ahead, and fewer.
    test_convolve(engine, random, Filter(1), random.between(1, 300), 2 * kernels, 1, pixels, true);
    test_convolve(engine, random, Filter(1), random.between(1, 20), 3 * kernels, pixels, 1, true);
  }
}

}  // namespace

int main() {
  for (const Engine* engine : pdrt::cpu::engines()) {
    Random random(7);
    for (int i = 0; i < 1500; ++i) test_random_convolve(*engine, random, 12);
    // Enough inputs that a few pixels past whole groups are worth a way of their own.
    for (int i = 0; i < 300; ++i) test_random_convolve(*engine, random, 150);
    test_sizes(*engine, random);
  }
  return check::report();
}
