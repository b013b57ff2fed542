// Everything the engines do to planes apart from convolutions: stages, phases, pooling, sums,
// loading and storing; and the choice of an engine.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "check.h"
#include "cpu/peak.h"
#include "pdrt/error.h"
#include "planes.h"

namespace {

using namespace planes;
using pdrt::Phase;
using pdrt::Phases;
using pdrt::Pool;
using pdrt::cpu::Engine;

// A plane with its geometry and guarded memory around the border it has.
struct TestPlane {
  Geometry geometry;
  Guarded memory;

  TestPlane(Random& random, int height, int width)
      : geometry(height, width, random.between(0, 3), random.between(0, 40), random.between(0, 40)),
        memory(geometry.plane.stride) {}
  const Plane& plane() const { return geometry.plane; }
  float* data() { return memory.data() + geometry.plane.lead; }
  float* pixel(int y, int x) { return data() + y * geometry.plane.row + x; }

  // Zeros everywhere but on the pixels.
  void fill(Random& random, double spoiled) {
    std::fill(memory.data(), memory.data() + memory.size(), 0.0f);
    for (int y = 0; y < plane().height; ++y) {
      for (int x = 0; x < plane().width; ++x)
        *pixel(y, x) = random.chance(spoiled) ? kNaN : random.real();
    }
  }
  // Every pixel as expected(y, x), the rest of the flat range +0, the border as it was.
  template <typename Expected>
  bool holds(const Expected& expected, double tolerance) {
    for (int at = -plane().lead; at < plane().stride - plane().lead; ++at) {
      const float x = data()[at];
      if (at < 0 || at >= plane().flat) {
        if (bits(x) != bits(kNaN)) return false;
      } else if (!geometry.is_pixel(at)) {
        if (bits(x) != 0) return false;
      } else if (!close(expected(at / plane().row, at % plane().row), x, tolerance)) {
        return false;
      }
    }
    return memory.intact();
  }
};

// The distance from the exact value in units of the last place of the float nearest to it.
double ulps(double exact, float got) {
  const float nearest = static_cast<float>(exact);
  if (std::isnan(exact) || std::isinf(nearest)) {
    return std::isnan(exact) ? (std::isnan(got) ? 0 : 1e9) : (got == nearest ? 0 : 1e9);
  }
  const double unit = std::max(std::ldexp(1.0, std::ilogb(std::fabs(nearest) + 1e-300) - 23),
                               std::ldexp(1.0, -149));
  return std::fabs(exact - got) / unit;
}

// Every stage by itself on numbers of all sizes, signs and kinds.
void test_stages(const Engine& engine, Random& random) {
  const float infinity = std::numeric_limits<float>::infinity();
  std::vector<float> numbers = {0.0f,    -0.0f,   kNaN,  infinity, -infinity, 1e-45f, -1e-45f,
                                1e-38f,  88.7f,   88.8f, 89.5f,    -86.0f,    -88.0f, -100.0f,
                                -103.9f, -104.5f, 1e30f, -1e30f,   0.625f,    3e38f,  -3e38f};
  for (int i = 0; i < 20000; ++i)
    numbers.push_back(random.real(-1, 1) * std::pow(10.0f, random.real(-8, 2.1f)));
  numbers.resize(static_cast<std::size_t>(round_up(static_cast<int>(numbers.size()))), 1.0f);
  const int count = static_cast<int>(numbers.size());
  Geometry line(1, count, 0, 0, 0);
  const float operands[] = {0.75f, -1.5f, 0.0f};
  const float shift = 0.3f;
  for (int s = 0; s <= static_cast<int>(Stage::square_root); ++s) {
    EpilogueStage stage;
    stage.stage = static_cast<Stage>(s);
    const bool has_operand = stage.stage < Stage::relu;
    stage.operand = has_operand ? Operand::channel : Operand::none;
    stage.channel_stride = stage.stage == Stage::affine ? 0 : 1;
    stage.data = operands;
    stage.data2 = stage.stage == Stage::affine ? &shift : nullptr;
    stage.a = stage.stage == Stage::clip ? -0.5f : 0.2f;
    stage.b = 0.6f;
    const Epilogue epilogue{&stage, 1};
    for (int k = 0; k < (has_operand ? 3 : 1); ++k) {
      std::vector<float> results(numbers.size());
      engine.apply(epilogue, k, numbers.data(), results.data(), line.plane);
      int wrong = 0;
      int differs = 0;
      for (int i = 0; i < count; ++i) {
        const float x = numbers[static_cast<std::size_t>(i)];
        const float got = results[static_cast<std::size_t>(i)];
        double exact = reference_epilogue(epilogue, k, 0, x);
        if (stage.stage == Stage::silu && x == -infinity)
          exact = kNaN;  // x * sigmoid(x), as the graph says
        // The sums of these cancel: what counts is the error beside the terms.
        const bool cancels = stage.stage == Stage::affine || stage.stage == Stage::hard_sigmoid ||
                             stage.stage == Stage::hard_swish;
        // A subnormal sigmoid keeps fewer bits than its product with x, which silu is.
        const bool subnormal =
            stage.stage == Stage::silu && std::fabs(exact - got) <= std::ldexp(std::fabs(x), -149);
        const double limit = stage.stage == Stage::silu ? 3.5 : 2.5;
        const bool fine =
            cancels ? close(exact, got, 1e-6) : subnormal || ulps(exact, got) <= limit;
        if (!fine && wrong++ == 0) {
          std::fprintf(stderr, "%s stage %d (%g): %.9g, expected %.9g\n",
                       std::string(engine.name).c_str(), s, static_cast<double>(x),
                       static_cast<double>(got), exact);
        }
        const float alone = engine.apply_to_constant(epilogue, k, x);
        differs += bits(alone) != bits(got) && !(std::isnan(alone) && std::isnan(got));
      }
      CHECK(wrong == 0);
      CHECK(differs == 0);
    }
  }
}

void test_apply(const Engine& engine, Random& random) {
  TestPlane in(random, random.between(1, 20), random.between(1, 20));
  in.fill(random, 0.01);
  const int channels = random.between(1, 4);
  const int k = random.between(0, channels - 1);
  const RandomEpilogue epilogue(random, channels, in.plane().flat, true);
  Guarded out(in.plane().flat);
  const bool nonzero = engine.apply(epilogue.epilogue, k, in.data(), out.data(), in.plane());
  int wrong = 0;
  bool seen = false;
  for (int at = 0; at < in.plane().flat; ++at) {
    const float x = out.data()[at];
    seen |= x != 0;
    wrong += in.geometry.is_pixel(at)
                 ? !close(reference_epilogue(epilogue.epilogue, k, at, in.data()[at]), x, 1e-5)
                 : bits(x) != 0;
  }
  CHECK(wrong == 0);
  CHECK(out.intact());
  CHECK(nonzero == seen);
  engine.apply(epilogue.epilogue, k, in.data(), in.data(), in.plane());  // in place
  CHECK(same(in.data(), out.data(), in.plane().flat));
}

void test_zeros(const Engine& engine) {
  Geometry geometry(3, 5, 1, 0, 0);
  std::vector<float> zeros(static_cast<std::size_t>(geometry.plane.flat), -0.0f);
  CHECK(!engine.apply(Epilogue{}, 0, zeros.data(), zeros.data(), geometry.plane));
  zeros[7] = -1e-45f;
  CHECK(engine.apply(Epilogue{}, 0, zeros.data(), zeros.data(), geometry.plane));
  zeros[7] = 0;
  zeros[5] = 1;  // in the gap
  CHECK(!engine.apply(Epilogue{}, 0, zeros.data(), zeros.data(), geometry.plane));
}

void test_split(const Engine& engine, Random& random) {
  TestPlane in(random, random.between(1, 50), random.between(1, 50));
  in.fill(random, 0);
  Phases task;
  task.stride_h = random.between(1, 3);
  task.stride_w = random.between(1, 3);
  // The part [first, last) of -3 ... 40 for which index * stride + start lies in a size.
  const auto clip = [](int start, int stride, int size, std::int32_t& first, std::int32_t& last) {
    first = -3;
    while (first < 40 && first * stride + start < 0) ++first;
    last = first;
    while (last < 40 && last * stride + start < size) ++last;
  };
  std::vector<Phase> phases(static_cast<std::size_t>(random.between(1, 6)));
  int first = 0;
  int last = 0;
  task.row = 1;
  for (Phase& phase : phases) {
    phase.row = random.between(-5, 5);
    phase.column = random.between(-5, 5);
    clip(phase.row, task.stride_h, in.plane().height, phase.row0, phase.row1);
    clip(phase.column, task.stride_w, in.plane().width, phase.col0, phase.col1);
    task.row = std::max(task.row, phase.col1 - phase.col0);
  }
  task.row += random.between(0, 20);
  for (const Phase& phase : phases) {
    first = std::min(first, phase.row0 * task.row + phase.col0);
    last = std::max(last, (phase.row1 - 1) * task.row + phase.col1);
  }
  task.phases = phases.data();
  task.phase_count = static_cast<int>(phases.size());
  task.lead = -first + random.between(0, 20);
  task.phase_stride = task.lead + last + random.between(0, 40);
  Guarded out(static_cast<std::int64_t>(task.phase_stride) * task.phase_count);
  engine.split(task, in.data(), in.plane(), out.data() + task.lead);

  int wrong = 0;
  for (int p = 0; p < task.phase_count; ++p) {
    const Phase& from = phases[static_cast<std::size_t>(p)];
    std::vector<float> expected(static_cast<std::size_t>(task.phase_stride), 0.0f);
    for (int r = from.row0; r < from.row1; ++r) {
      for (int c = from.col0; c < from.col1; ++c) {
        expected[static_cast<std::size_t>(task.lead + r * task.row + c)] =
            *in.pixel(r * task.stride_h + from.row, c * task.stride_w + from.column);
      }
    }
    const float* phase = out.data() + static_cast<std::int64_t>(p) * task.phase_stride;
    for (int at = 0; at < task.phase_stride; ++at)
      wrong += bits(phase[at]) != bits(expected[static_cast<std::size_t>(at)]);
  }
  CHECK(wrong == 0);
  CHECK(out.intact());
}

double reference_pool(const Pool& task, TestPlane& in, int oy, int ox) {
  double most = -std::numeric_limits<double>::infinity();
  double sum = 0;
  int inside = 0;
  int padded = 0;
  for (int i = 0; i < task.kernel_h; ++i) {
    for (int j = 0; j < task.kernel_w; ++j) {
      const int y = oy * task.stride_h - task.pad_top + i * task.dilation_h;
      const int x = ox * task.stride_w - task.pad_left + j * task.dilation_w;
      if (y >= in.plane().height + task.pad_bottom || x >= in.plane().width + task.pad_right)
        continue;
      ++padded;
      if (y < 0 || y >= in.plane().height || x < 0 || x >= in.plane().width) continue;
      ++inside;
      const double value = *in.pixel(y, x);
      most = std::isnan(value) || std::isnan(most) ? kNaN : std::max(most, value);
      sum += value;
    }
  }
  if (task.maximum) return most;
  const int divisor = task.count_include_pad ? padded : inside;
  return divisor == 0 ? 0 : sum / divisor;
}

void test_pool(const Engine& engine, Random& random, bool wide) {
  const int width = wide ? random.between(500, 3000) : random.between(1, 60);
  TestPlane in(random, random.between(1, wide ? 3 : 20), width);
  in.fill(random, random.chance(0.3) ? 0.02 : 0);
  Pool task;
  task.maximum = random.chance(0.5);
  task.count_include_pad = random.chance(0.5);
  task.kernel_h = random.between(1, 4);
  task.kernel_w = random.between(1, wide && random.chance(0.3) ? width : 4);
  task.stride_h = random.between(1, 4);
  task.stride_w = random.between(1, 4);
  task.dilation_h = random.chance(0.7) ? 1 : 2;
  task.dilation_w = task.kernel_w > 4 || random.chance(0.7) ? 1 : 2;
  if (random.chance(0.5)) {  // what networks are made of
    task.kernel_h = task.kernel_w = random.between(2, 3);
    task.stride_h = task.stride_w = random.between(1, 2);
    task.dilation_h = task.dilation_w = 1;
  }
  task.pad_top = random.between(0, (task.kernel_h - 1) * task.dilation_h);
  task.pad_left = random.between(0, std::min(9, (task.kernel_w - 1) * task.dilation_w));
  task.pad_bottom = random.between(0, (task.kernel_h - 1) * task.dilation_h);
  task.pad_right = random.between(0, std::min(9, (task.kernel_w - 1) * task.dilation_w));
  // As many outputs as fit, and often one more, as with ceil_mode.
  const auto outputs = [&random](int room, int stride) {
    return std::max(1, room / stride + 1 + random.between(0, 1));
  };
  const int room_h = in.plane().height + task.pad_top + task.pad_bottom -
                     (task.kernel_h - 1) * task.dilation_h - 1;
  const int room_w =
      width + task.pad_left + task.pad_right - (task.kernel_w - 1) * task.dilation_w - 1;
  TestPlane out(random, outputs(room_h, task.stride_h), outputs(room_w, task.stride_w));
  const RandomEpilogue epilogue(random, 3, out.plane().flat, true);
  engine.pool(task, in.data(), in.plane(), out.data(), out.plane(), epilogue.epilogue, 2);
  const bool fine = out.holds(
      [&](int y, int x) {
        return reference_epilogue(epilogue.epilogue, 2, y * out.plane().row + x,
                                  reference_pool(task, in, y, x));
      },
      1e-4);
  if (!fine) {
    std::fprintf(stderr, "%s %s pool %dx%d of %dx%d, stride %dx%d\n",
                 std::string(engine.name).c_str(), task.maximum ? "max" : "average", task.kernel_h,
                 task.kernel_w, in.plane().height, width, task.stride_h, task.stride_w);
  }
  CHECK(fine);
}

void test_memory(const Engine& engine, Random& random) {
  TestPlane plane(random, random.between(1, 30), random.between(1, 40));
  const Plane& p = plane.plane();
  engine.fill(plane.data(), p, 1.5f);
  CHECK(plane.holds([](int, int) { return 1.5; }, 0));

  const int pixel = random.between(1, 3);
  const int row = p.width * pixel + random.between(0, 5);
  std::vector<float> dense(
      static_cast<std::size_t>((p.height - 1) * row + (p.width - 1) * pixel + 1));
  for (float& x : dense) x = random.real();
  TestPlane loaded(random, p.height, p.width);
  engine.load_plane(dense.data(), row, pixel, loaded.data(), loaded.plane());
  const auto at = [&](int y, int x) {
    return dense[static_cast<std::size_t>(y * row + x * pixel)];
  };
  CHECK(loaded.holds([&](int y, int x) { return static_cast<double>(at(y, x)); }, 0));

  Guarded stored(static_cast<std::int64_t>(p.height) * p.width);
  engine.store_plane(loaded.data(), loaded.plane(), stored.data());
  int wrong = 0;
  double sum = 0;
  float most = -std::numeric_limits<float>::infinity();
  for (int y = 0; y < p.height; ++y) {
    for (int x = 0; x < p.width; ++x) {
      wrong += stored.data()[y * p.width + x] != at(y, x);
      sum += at(y, x);
      most = std::max(most, at(y, x));
    }
  }
  CHECK(wrong == 0);
  CHECK(stored.intact());
  CHECK(close(sum, engine.plane_sum(loaded.data(), loaded.plane()), 1e-6));
  CHECK(engine.plane_max(loaded.data(), loaded.plane()) == most);
  engine.fill(loaded.data(), loaded.plane(), -3.0f);
  CHECK(engine.plane_max(loaded.data(), loaded.plane()) == -3.0f);
  *loaded.pixel(random.between(0, p.height - 1), random.between(0, p.width - 1)) = kNaN;
  CHECK(std::isnan(engine.plane_max(loaded.data(), loaded.plane())));

  engine.clear_border(loaded.data(), loaded.plane());
  int dirty = 0;
  for (int i = -loaded.plane().lead; i < 0; ++i) dirty += bits(loaded.data()[i]) != 0;
  for (int i = loaded.plane().flat; i < loaded.plane().stride - loaded.plane().lead; ++i)
    dirty += bits(loaded.data()[i]) != 0;
  CHECK(dirty == 0);
  CHECK(loaded.memory.intact());
}

void test_finite(const Engine& engine, Random& random) {
  Guarded numbers(random.between(1, 300));
  for (int i = 0; i < numbers.size(); ++i) numbers.data()[i] = random.real();
  numbers.data()[0] = std::numeric_limits<float>::max();
  CHECK(engine.all_finite(numbers.data(), numbers.size()));
  CHECK(engine.all_finite(numbers.data(), 0));
  const float odd[] = {kNaN, std::numeric_limits<float>::infinity(),
                       -std::numeric_limits<float>::infinity()};
  numbers.data()[random.between(0, static_cast<int>(numbers.size()) - 1)] =
      odd[random.between(0, 2)];
  CHECK(!engine.all_finite(numbers.data(), numbers.size()));
}

void test_selection() {
  const std::vector<const Engine*>& engines = pdrt::cpu::engines();
  CHECK(engines.back()->name == "portable");
  unsetenv("PDRT_ISA");
  CHECK(&pdrt::cpu::select_engine() == engines.front());
  for (const Engine* engine : engines) {
    setenv("PDRT_ISA", std::string(engine->name).c_str(), 1);
    CHECK(&pdrt::cpu::select_engine() == engine);
  }
  setenv("PDRT_ISA", "sse9", 1);
  CHECK_THROWS(pdrt::cpu::select_engine(), pdrt::DeviceError, "sse9");
  CHECK_THROWS(pdrt::cpu::select_engine(), pdrt::DeviceError, "portable");
  unsetenv("PDRT_ISA");
}

}  // namespace

int main() {
  test_selection();
  for (const Engine* engine : pdrt::cpu::engines()) {
    Random random(11);
    test_stages(*engine, random);
    test_zeros(*engine);
    for (int i = 0; i < 1000; ++i) {
      test_apply(*engine, random);
      test_split(*engine, random);
      test_pool(*engine, random, false);
      test_memory(*engine, random);
      test_finite(*engine, random);
    }
    for (int i = 0; i < 40; ++i) test_pool(*engine, random, true);
    CHECK(pdrt::cpu::measured_fma_peak(*engine) > 0);
  }
  return check::report();
}
