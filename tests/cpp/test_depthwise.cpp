// Depthwise convolutions of every engine this machine can run, against plain loops in double
// precision: random windows over planes with and without gaps and borders.
#include <cstdio>
#include <string>

#include "check.h"
#include "planes.h"

namespace {

using namespace planes;
using pdrt::Window;
using pdrt::cpu::Depthwise;
using pdrt::cpu::Engine;

// One input plane in memory that ends where its border does. Bare planes hold NaN where no pixel
// is, others the zeros they promise.
std::vector<float> random_input(Random& random, const Plane& plane, bool bare) {
  std::vector<float> memory(static_cast<std::size_t>(plane.stride), bare ? kNaN : 0.0f);
  for (int y = 0; y < plane.height; ++y) {
    for (int x = 0; x < plane.width; ++x) {
      // Now and then a number that spoils every output it meets, and no other.
      memory[static_cast<std::size_t>(plane.lead + y * plane.row + x)] =
          random.chance(0.0005)
              ? (random.chance(0.5) ? kNaN : std::numeric_limits<float>::infinity())
              : random.real();
    }
  }
  return memory;
}

double sum_of_taps(const Window& window, const float* in, const Plane& plane, int y, int x,
                   const float* weights) {
  double sum = 0;
  for (int i = 0; i < window.filter_h; ++i) {
    for (int j = 0; j < window.filter_w; ++j) {
      const int from_y = y * window.stride_h + i * window.dilation_h - window.pad_top;
      const int from_x = x * window.stride_w + j * window.dilation_w - window.pad_left;
      if (from_y < 0 || from_y >= plane.height || from_x < 0 || from_x >= plane.width) continue;
      sum +=
          static_cast<double>(weights[i * window.filter_w + j]) * in[from_y * plane.row + from_x];
    }
  }
  return sum;
}

// The windows networks are made of half the time, else anything.
Window random_window(Random& random) {
  Window window;
  if (random.chance(0.6)) {
    window.filter_h = window.filter_w = random.chance(0.6) ? 3 : 5;
    window.stride_h = window.stride_w = random.between(1, 2);
  } else {
    window.filter_h = random.between(1, 5);
    window.filter_w = random.between(1, 5);
    window.stride_h = random.between(1, 3);
    window.stride_w = random.between(1, 3);
    window.dilation_h = random.between(1, 3);
    window.dilation_w = random.between(1, 3);
  }
  window.pad_top = random.between(0, (window.filter_h - 1) * window.dilation_h);
  window.pad_left = random.between(0, (window.filter_w - 1) * window.dilation_w);
  if (random.chance(0.5)) {  // as most networks have it
    window.pad_top = (window.filter_h - 1) * window.dilation_h / 2;
    window.pad_left = (window.filter_w - 1) * window.dilation_w / 2;
  }
  return window;
}

void test_depthwise(const Engine& engine, Random& random) {
  const int kernels = random.between(1, 8);
  const int limit = random.chance(0.2) ? 90 : 20;
  const auto gap = [&random] { return random.chance(0.5) ? 0 : random.between(1, 20); };
  const bool bare = random.chance(0.5);
  const auto border = [&] { return bare ? 0 : random.between(0, random.chance(0.5) ? 40 : 400); };
  const int widest = random.chance(0.02) ? 1200 : limit;
  const Geometry in(random.between(1, limit), random.between(1, widest), gap(), border(), border());
  Depthwise task;
  task.window = random_window(random);
  const bool alike = random.chance(0.5);
  const auto outputs = [&](int size, int stride) {
    return alike ? size : std::max(1, (size + stride - 1) / stride + random.between(-1, 1));
  };
  const Geometry out(
      outputs(in.plane.height, task.window.stride_h), outputs(in.plane.width, task.window.stride_w),
      alike ? in.plane.row - in.plane.width : gap(), random.between(0, 40), random.between(0, 40));
  const Plane& plane = out.plane;
  const std::vector<std::int32_t> active = random.some_of(kernels, false);
  std::vector<std::vector<float>> inputs(static_cast<std::size_t>(kernels));
  std::vector<const float*> pointers;
  const int taps = task.window.taps();
  // Weights of whatever is switched off are NaN: nobody may look at them.
  std::vector<float> weights(static_cast<std::size_t>(kernels * taps), kNaN);
  std::vector<float> bias(static_cast<std::size_t>(kernels), kNaN);
  for (const int k : active) {
    inputs[static_cast<std::size_t>(k)] = random_input(random, in.plane, bare);
    pointers.push_back(inputs[static_cast<std::size_t>(k)].data() + in.plane.lead);
    bias[static_cast<std::size_t>(k)] = random.real();
    for (int t = 0; t < taps; ++t) weights[static_cast<std::size_t>(k * taps + t)] = random.real();
  }
  const RandomEpilogue epilogue(random, kernels, plane.flat, true);
  std::vector<std::uint8_t> nonzero(static_cast<std::size_t>(kernels), 0);
  Guarded output(static_cast<std::int64_t>(kernels) * plane.stride);

  task.inputs = pointers.data();
  task.in_plane = &in.plane;
  task.weights = weights.data();
  task.bias = random.chance(0.7) ? bias.data() : nullptr;
  task.kernels = active.data();
  task.kernel_count = static_cast<int>(active.size());
  task.epilogue = epilogue.epilogue;
  task.plane = &plane;
  task.output = output.data() + plane.lead;
  task.nonzero = nonzero.data();
  engine.depthwise(task, 0, task.kernel_count);

  int wrong = 0, spoiled = 0, flags = 0;
  for (int k = 0; k < kernels; ++k) {
    const bool is_active = std::binary_search(active.begin(), active.end(), k);
    const float* pixels = task.output + k * plane.stride;
    bool seen = false;
    for (int at = -plane.lead; at < plane.stride - plane.lead; ++at) {
      if (!is_active || at < 0 || at >= plane.flat) {
        spoiled += bits(pixels[at]) != bits(kNaN);
      } else if (!out.is_pixel(at)) {
        wrong += bits(pixels[at]) != 0;
      } else {
        const int y = at / plane.row, x = at % plane.row;
        const double sum =
            sum_of_taps(task.window, inputs[static_cast<std::size_t>(k)].data() + in.plane.lead,
                        in.plane, y, x, weights.data() + k * taps);
        const double expected = reference_epilogue(task.epilogue, k, at,
                                                   sum + (task.bias != nullptr ? task.bias[k] : 0));
        seen |= pixels[at] != 0;
        wrong += !close(expected, pixels[at], 2e-4);
      }
    }
    flags += (nonzero[static_cast<std::size_t>(k)] != 0) != seen;
  }
  if (wrong + spoiled + flags > 0) {
    const Window& w = task.window;
    std::fprintf(stderr, "%s depthwise %dx%d row %d to %dx%d row %d, filter %dx%d, stride %dx%d\n",
                 std::string(engine.name).c_str(), in.plane.height, in.plane.width, in.plane.row,
                 plane.height, plane.width, plane.row, w.filter_h, w.filter_w, w.stride_h,
                 w.stride_w);
  }
  CHECK(wrong == 0);
  CHECK(spoiled == 0);
  CHECK(flags == 0);
  CHECK(output.intact());

  // One kernel at a time, and nobody who asks for flags: the same bits.
  Guarded again(output.size());
  task.output = again.data() + plane.lead;
  task.nonzero = nullptr;
  for (int i = 0; i < task.kernel_count; ++i) engine.depthwise(task, i, i + 1);
  CHECK(same(again.data(), output.data(), again.size()));
}

}  // namespace

int main() {
  for (const Engine* engine : pdrt::cpu::engines()) {
    Random random(5);
    for (int i = 0; i < 1500; ++i) test_depthwise(*engine, random);
  }
  return check::report();
}
