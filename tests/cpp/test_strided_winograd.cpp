// Winograd for 7x7 filters of stride 2, on every engine this machine can run: the convolution in
// double precision, whatever the map, its padding and its strips, and nothing of what is off.

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "check.h"
#include "cpu/engine.h"
#include "maps.h"

namespace {

using namespace maps;
using pdrt::cpu::Engine;

constexpr int kFilter = pdrt::kStridedFilter, kTaps = kFilter * kFilter;

bool has(const std::vector<std::int32_t>& list, int number) {
  return std::binary_search(list.begin(), list.end(), number);
}

struct Layer {
  int pad_top, pad_left, height, width, out_h, out_w, channels, kernels;

  Layer()
      : pad_top(random_int(0, 7)),
        pad_left(random_int(0, 7)),
        height(random_int(7, 60)),
        width(random_int(7, 150)),
        out_h((height + pad_top + random_int(0, 7) - kFilter) / 2 + 1),
        out_w((width + pad_left + random_int(0, 7) - kFilter) / 2 + 1),
        channels(random_int(1, 6)),
        kernels(random_int(1, 20)) {}
};

// The strips of a map, from top to bottom.
std::vector<pdrt::WinogradMap> random_strips(const pdrt::WinogradMap& map, int down) {
  std::vector<pdrt::WinogradMap> strips;
  for (int row = 0; row < down; row += strips.back().rows) {
    strips.push_back(map);
    strips.back().first_row = row;
    strips.back().rows = random_int(1, down - row);
  }
  return strips;
}

double exact_pixel(const Layer& layer, const std::vector<float>& taps, std::vector<Map>& inputs,
                   const std::vector<std::int32_t>& channels, int kernel, int y, int x) {
  double sum = 0;
  for (const int c : channels) {
    for (int t = 0; t < kTaps; ++t) {
      const int from_y = 2 * y + t / kFilter - layer.pad_top,
                from_x = 2 * x + t % kFilter - layer.pad_left;
      if (from_y < 0 || from_y >= layer.height || from_x < 0 || from_x >= layer.width) continue;
      sum += static_cast<double>(taps[(kernel * layer.channels + c) * kTaps + t]) *
             inputs[c].pixels()[from_y * inputs[c].plane.row + from_x];
    }
  }
  return sum;
}

void convolution(const Engine& engine) {
  const Layer layer;
  const std::vector<std::int32_t> channels = some_of(layer.channels),
                                  kernels = some_of(layer.kernels);
  std::normal_distribution<float> normal;
  std::vector<float> taps(layer.kernels * layer.channels * kTaps, kPoison), bias(layer.kernels);
  for (int k = 0; k < layer.kernels; ++k) {
    bias[k] = normal(generator);
    for (const int c : channels) {
      for (int t = 0; t < kTaps && has(kernels, k); ++t)
        taps[(k * layer.channels + c) * kTaps + t] = normal(generator);
    }
  }
  std::vector<Map> inputs;
  for (int c = 0; c < layer.channels; ++c) inputs.emplace_back(layer.height, layer.width).fill();
  Map output(layer.out_h, layer.out_w, layer.kernels);

  const int row = pdrt::kStridedPositions * pdrt::kStridedPhases * layer.channels;
  std::vector<float> weights(layer.kernels * row, kPoison);
  for (int k = 0; k < layer.kernels; ++k)
    engine.strided_weights(taps.data() + k * layer.channels * kTaps, layer.channels,
                           weights.data() + k * row);

  pdrt::WinogradMap map;
  map.tile = pdrt::kStridedTile;
  map.tiles_x = (layer.out_w + map.tile - 1) / map.tile;
  const std::vector<std::uint32_t> input_columns = columns(layer.pad_left, layer.width),
                                   output_columns = columns(0, layer.out_w);
  std::vector<std::uint8_t> nonzero(layer.kernels, 0);
  const pdrt::cpu::EpilogueStage relu;
  pdrt::cpu::StridedWinograd task;
  task.of.weights = weights.data();
  task.of.weights_row = row;
  task.of.channel = channels.data();
  task.of.channels = static_cast<int>(channels.size());
  task.of.kernels = kernels.data();
  task.of.kernel_count = static_cast<int>(kernels.size());
  task.of.bias = bias.data();
  task.of.output = output.pixels();
  task.of.plane = &output.plane;
  task.of.epilogue = {&relu, 1};
  task.of.nonzero = nonzero.data();
  std::vector<pdrt::WinogradMap> strips = random_strips(map, (layer.out_h + 3) / 4);
  std::shuffle(strips.begin(), strips.end(), generator);
  for (const pdrt::WinogradMap& strip : strips) {
    task.map = strip;
    task.map.plane = &output.plane;
    task.map.columns = output_columns.data();
    task.tiles = rounded_up(strip.rows * strip.tiles_x);
    task.position_stride = pdrt::kStridedPhases * task.of.channels * task.tiles + kLanes;
    std::vector<float> patches(pdrt::kStridedPositions * task.position_stride, kPoison);
    task.patches = patches.data();
    std::vector<float> scratch(pdrt::strided_scratch(strip.rows, strip.tiles_x), kPoison);
    task.scratch = scratch.data();
    for (int i = 0; i < task.of.channels; ++i) {
      Map& input = inputs[channels[i]];
      map = strip;
      map.plane = &input.plane;
      map.pad_top = layer.pad_top;
      map.pad_left = layer.pad_left;
      map.columns = input_columns.data();
      engine.strided_input(map, input.pixels(),
                           patches.data() + pdrt::kStridedPhases * i * task.tiles, task.tiles,
                           task.position_stride, scratch.data());
    }
    engine.strided_kernels(task);
  }

  bool zero = true, marked = true;
  double largest = 1, worst = 0;
  std::vector<bool> written(output.memory.size(), false);
  for (const int k : kernels) {
    const std::int64_t start = output.before + output.plane.lead + k * output.plane.stride;
    bool any = false;
    for (int i = 0; i < output.plane.flat; ++i) {
      const float value = output.memory[start + i];
      written[start + i] = true;
      if (output.mask[i] == 0) {
        zero = zero && value == 0.0f;
        continue;
      }
      const double exact =
          std::max(0.0, bias[k] + exact_pixel(layer, taps, inputs, channels, k,
                                              i / output.plane.row, i % output.plane.row));
      any = any || value != 0.0f;
      largest = std::max(largest, exact);
      worst = std::max(worst, std::isnan(value) ? 1e9 : std::abs(value - exact));
    }
    marked = marked && (nonzero[k] != 0) == any;
  }
  bool untouched = true;
  for (std::size_t i = 0; i < written.size(); ++i)
    untouched = untouched && (written[i] || std::isnan(output.memory[i]));
  CHECK(worst <= 2e-5 * largest);
  CHECK(zero);
  CHECK(marked);
  CHECK(untouched);
}

}  // namespace

int main() {
  for (const Engine* engine : pdrt::cpu::engines()) {
    for (int round = 0; round < 60; ++round) convolution(*engine);
  }
  return check::report();
}
