// Where planes and taps lie: which maps have a gap between their rows, and that every tap reads
// what the convolution says, whatever the geometry.
#include "check.h"
#include "pdrt/pdrt.h"
#include "plan/geometry.h"
#include "plan/plan.h"
#include "planes.h"

namespace {

using namespace planes;
using pdrt::Shape;
using pdrt::cpu::Engine;
using pdrt::plan::ConvolutionForm;
using pdrt::plan::Plan;
using pdrt::plan::Taps;

int output_size(int in, int filter, int stride, int dilation, int pads) {
  return (in + pads - (filter - 1) * dilation - 1) / stride + 1;
}

// A window that fits its map; half of them as most networks have it.
ConvolutionForm random_form(Random& random) {
  ConvolutionForm form;
  const bool plain = random.chance(0.5);
  const auto axis = [&](int& filter, int& stride, int& dilation, int& pad, int& in, int& out) {
    filter = plain ? 3 : random.between(1, 5);
    stride = plain ? random.between(1, 2) : random.between(1, 3);
    dilation = plain ? 1 : random.between(1, 3);
    const int reach = (filter - 1) * dilation;
    pad = plain ? 1 : random.between(0, reach);
    const int behind = plain ? 1 : random.between(0, reach);
    in = random.between(std::max(1, reach + 1 - pad - behind), reach + 16);
    out = output_size(in, filter, stride, dilation, pad + behind);
  };
  axis(form.filter_h, form.stride_h, form.dilation_h, form.pad_top, form.in_h, form.out_h);
  axis(form.filter_w, form.stride_w, form.dilation_w, form.pad_left, form.in_w, form.out_w);
  return form;
}

// A plane of the form's input with what taps may read around it where they read it directly; random
// pixels, zeros around them, and NaN in the gap of a geometry that nothing promises to read.
struct Input {
  Geometry geometry;
  Guarded memory;

  Input(Random& random, const ConvolutionForm& form, int row, bool direct)
      : geometry(form.in_h, form.in_w, row - form.in_w, around(form, row, direct).before,
                 around(form, row, direct).behind),
        memory(geometry.plane.stride) {
    if (direct) std::fill(memory.data(), memory.data() + memory.size(), 0.0f);
    for (int y = 0; y < form.in_h; ++y) {
      for (int x = 0; x < form.in_w; ++x) pixels()[y * row + x] = random.real();
    }
  }
  float* pixels() { return memory.data() + geometry.plane.lead; }

  static pdrt::plan::Reach around(const ConvolutionForm& form, int row, bool direct) {
    return direct ? pdrt::plan::reach_of(form, row) : pdrt::plan::Reach{};
  }
};

// Every tap of every output pixel finds the input's pixel or zero, and for the rest of the flat
// range there is memory to read.
void test_taps(const Engine& engine, Random& random) {
  const ConvolutionForm form = random_form(random);
  const int least = pdrt::plan::least_row(form);
  const int row =
      random.chance(0.5) ? form.out_w : std::max(form.out_w, least) + random.between(0, 3);
  const int flat = round_up(form.out_h * row);
  const Taps taps = pdrt::plan::place_taps(form, row, flat);
  CHECK(taps.direct == pdrt::plan::reads_directly(form, row));
  CHECK(!taps.direct || row >= least);
  CHECK(row >= least ||
        taps.phases.phase_count <= form.filter_w * std::min(form.filter_h, form.stride_h));

  Input input(random, form, taps.direct ? row : form.in_w + random.between(0, 3), taps.direct);
  Guarded scratch(taps.floats_per_channel());
  const float* origin = input.pixels();
  std::int64_t before = input.geometry.plane.lead;
  std::int64_t size = input.memory.size();
  if (!taps.direct) {
    pdrt::Phases phases = taps.phases;
    phases.phases = taps.phase_list.data();
    engine.split(phases, input.pixels(), input.geometry.plane, scratch.data() + phases.lead);
    CHECK(scratch.intact());
    origin = scratch.data() + phases.lead;
    before = phases.lead;
    size = scratch.size();
  }
  int wrong = 0;
  for (int t = 0; t < form.taps(); ++t) {
    const std::int64_t offset = taps.offsets[static_cast<std::size_t>(t)];
    CHECK(before + offset >= 0);
    CHECK(before + offset + flat <= size);
    for (int r = 0; r < form.out_h; ++r) {
      for (int c = 0; c < form.out_w; ++c) {
        const int y = r * form.stride_h + t / form.filter_w * form.dilation_h - form.pad_top;
        const int x = c * form.stride_w + t % form.filter_w * form.dilation_w - form.pad_left;
        const bool inside = y >= 0 && y < form.in_h && x >= 0 && x < form.in_w;
        const float expected = inside ? input.pixels()[y * input.geometry.plane.row + x] : 0.0f;
        wrong += bits(origin[offset + r * row + c]) != bits(expected);
      }
    }
  }
  CHECK(wrong == 0);
}

struct Convolution {
  int channels, kernels, filter_h, filter_w, stride = 1;
};

// The plan of convolutions on one map of height x width, one after another, padded to keep its
// size.
std::unique_ptr<const Plan> plan_of(const pdrt::Model& model) {
  const pdrt::Graph& graph = model.graph();
  return pdrt::plan::make_plan(graph, {graph.input_specs[0].shape}, graph.outputs, {});
}

pdrt::Model chain(std::int64_t height, std::int64_t width, const std::vector<Convolution>& layers) {
  pdrt::ModelWriter writer;
  writer.input("x0", pdrt::DType::f32, {1, layers.front().channels, height, width});
  std::string last = "x0";
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Convolution& layer = layers[i];
    const Shape shape{layer.kernels, layer.channels, layer.filter_h, layer.filter_w};
    std::vector<float> zeros(static_cast<std::size_t>(shape[0] * shape[1] * shape[2] * shape[3]));
    const std::string weights = "w" + std::to_string(i), next = "x" + std::to_string(i + 1);
    const std::int64_t pad_h = layer.filter_h / 2, pad_w = layer.filter_w / 2;
    writer.tensor(weights, pdrt::TensorView(zeros.data(), pdrt::DType::f32, shape));
    writer.node("conv" + std::to_string(i), "Conv", {last, weights}, {next},
                {{"pads", std::vector<std::int64_t>{pad_h, pad_w, pad_h, pad_w}},
                 {"strides", std::vector<std::int64_t>{layer.stride, layer.stride}}});
    last = next;
  }
  return writer.output(last).model();
}

// The row length of the last convolution's planes.
int row_of(const pdrt::Model& model) {
  const auto plan = plan_of(model);
  return plan->values[static_cast<std::size_t>(plan->program.outputs[0])].plane->row;
}

void test_gaps() {
  // Small maps with many kernels have none, large ones and those of few kernels do. Filters of 5x5,
  // since transforms need no gap.
  CHECK(row_of(chain(14, 14, {{64, 256, 5, 5}})) == 14);
  CHECK(row_of(chain(13, 13, {{64, 256, 5, 5}})) == 13);
  CHECK(row_of(chain(7, 7, {{64, 512, 5, 5}})) == 7);
  CHECK(row_of(chain(28, 28, {{64, 32, 5, 5}})) == 30);
  CHECK(row_of(chain(112, 112, {{64, 64, 5, 5}})) == 114);
  CHECK(row_of(chain(14, 14, {{64, 4, 5, 5}})) == 16);
  // The other convolutions on the map count, too, where they need no phases.
  CHECK(row_of(chain(14, 14, {{4, 4, 5, 5}, {4, 256, 1, 1}, {256, 256, 1, 1}})) == 14);
  CHECK(row_of(chain(28, 28, {{4, 4, 5, 5}, {4, 256, 1, 1}, {256, 256, 1, 1}})) == 28);
  CHECK(row_of(chain(56, 56, {{64, 64, 3, 3}, {64, 64, 1, 1}})) == 56);
  // Strided convolutions have phases anyway.
  CHECK(row_of(chain(28, 28, {{64, 256, 3, 3, 2}})) == 14);
  // No tap of another column, no gap.
  CHECK(row_of(chain(56, 56, {{8, 8, 3, 1}})) == 56);
  // Scratch memory is bounded.
  CHECK(row_of(chain(14, 14, {{4, 512, 1, 15}})) == 14);
  CHECK(row_of(chain(14, 14, {{4, 512, 1, 17}})) == 14 + 8);
}

// Strides that spread planes over all sets of a cache.
void test_strides() {
  for (const int size : {1, 4, 7, 8, 14, 16, 28, 31, 32, 56}) {
    const pdrt::Model model = chain(size, size, {{2, 2, 3, 3}, {2, 2, 1, 1}, {2, 2, 3, 3, 2}});
    const auto plan = plan_of(model);
    for (const Plane& plane : plan->geometries) {
      CHECK(plane.lead % kLanes == 0);
      CHECK(plane.stride % kLanes == 0);
      CHECK(plane.stride / kLanes % 2 == 1);
      CHECK(plane.stride >= plane.lead + plane.flat);
    }
    for (const auto& convolution : plan->convolutions) {
      if (!convolution.taps.direct) CHECK(convolution.taps.phases.phase_stride / kLanes % 2 == 1);
    }
  }
}

// The first layer.
bool near_only(int size, const std::vector<Convolution>& layers) {
  return plan_of(chain(size, size, layers))->near_only[0];
}

// Threads whose caches lie apart share what multiplies much for each line of pixels, transformed
// ones included, and what is too large for these caches; and all of a network where that is most.
void test_near_only() {
  CHECK(near_only(56, {{16, 64, 1, 1}}));
  CHECK(near_only(111, {{3, 64, 3, 3}}));
  CHECK(near_only(56, {{64, 64, 3, 3}}));
  CHECK(!near_only(14, {{256, 256, 3, 3}}));
  CHECK(!near_only(7, {{512, 2048, 1, 1}}));
  CHECK(!near_only(14, {{16, 64, 1, 1}, {64, 256, 5, 5}}));
  CHECK(near_only(14, {{16, 64, 1, 1}}));
  CHECK(!near_only(224, {{64, 64, 3, 3}}));
}

}  // namespace

int main() {
  test_gaps();
  test_strides();
  test_near_only();
  for (const Engine* engine : pdrt::cpu::engines()) {
    Random random(5);
    for (int i = 0; i < 3000; ++i) test_taps(*engine, random);
  }
  return check::report();
}
