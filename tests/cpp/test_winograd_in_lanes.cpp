// Winograd with kernels in lanes, on every engine this machine can run: the convolution in double
// precision, whatever the small map and its padding, and nothing of what is off.

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "check.h"
#include "cpu/engine.h"
#include "maps.h"

namespace {

using namespace maps;
using pdrt::kInLanes;
using pdrt::cpu::Engine;

struct Layer {
  int pad_top, pad_left, out_h, out_w, height, width, channels, kernels;

  // Padding behind the last row and column is what is left of the two that a filter reaches on.
  Layer()
      : pad_top(random_int(0, 2)),
        pad_left(random_int(0, 2)),
        out_h(random_int(1, 8)),
        out_w(random_int(1, 8)),
        height(std::max(1, out_h + 2 - pad_top - random_int(0, 2))),
        width(std::max(1, out_w + 2 - pad_left - random_int(0, 2))),
        channels(random_int(1, 50)),
        kernels(random_int(1, 3 * kInLanes)) {}
};

double exact_pixel(const Layer& layer, const std::vector<float>& taps, std::vector<Map>& inputs,
                   const std::vector<std::int32_t>& channels, int kernel, int y, int x) {
  double sum = 0;
  for (const int c : channels) {
    for (int t = 0; t < 9; ++t) {
      const int from_y = y + t / 3 - layer.pad_top, from_x = x + t % 3 - layer.pad_left;
      if (from_y < 0 || from_y >= layer.height || from_x < 0 || from_x >= layer.width) continue;
      sum += static_cast<double>(taps[(kernel * layer.channels + c) * 9 + t]) *
             inputs[c].pixels()[from_y * inputs[c].plane.row + from_x];
    }
  }
  return sum;
}

void convolution(const Engine& engine) {
  const Layer layer;
  const std::vector<std::int32_t> channels = some_of(layer.channels);
  const int listed = static_cast<int>(channels.size());
  const bool has_bias = random_int(0, 3) > 0;
  std::normal_distribution<float> normal;
  std::vector<float> taps(layer.kernels * layer.channels * 9, kPoison), bias(layer.kernels);
  for (int k = 0; k < layer.kernels; ++k) {
    bias[k] = has_bias ? normal(generator) : 0.0f;
    for (const int c : channels) {
      for (int t = 0; t < 9; ++t) taps[(k * layer.channels + c) * 9 + t] = normal(generator);
    }
  }
  std::vector<Map> inputs;
  inputs.reserve(layer.channels);
  for (int c = 0; c < layer.channels; ++c) {
    inputs.emplace_back(layer.height, layer.width);
    inputs[c].plane = inputs[0].plane;
    inputs[c].memory.assign(inputs[c].before + inputs[0].plane.stride, kPoison);
    inputs[c].mask = inputs[0].mask;
    inputs[c].fill();
  }
  Map output(layer.out_h, layer.out_w, layer.kernels);

  const int panels = (layer.kernels + kInLanes - 1) / kInLanes,
            panel = layer.channels * 9 * kInLanes;
  std::vector<float> weights(panels * panel, kPoison);
  for (int p = 0; p < panels; ++p) {
    const int first = p * kInLanes;
    engine.taps_in_lanes(taps.data() + first * layer.channels * 9, layer.channels * 9,
                         std::min(kInLanes, layer.kernels - first), layer.channels,
                         weights.data() + p * panel);
  }
  pdrt::WinogradMap map;
  map.tile = pdrt::kTileInLanes;
  map.tiles_x = (layer.out_w + 3) / 4;
  map.rows = (layer.out_h + 3) / 4;
  map.plane = &inputs[0].plane;
  map.pad_top = layer.pad_top;
  map.pad_left = layer.pad_left;
  std::vector<const float*> planes;
  for (const int c : channels) planes.push_back(inputs[c].pixels());
  std::vector<float> patches(listed * pdrt::kPatchInLanes + 1, kPoison);
  const int cut = random_int(0, listed);
  engine.patches_in_lanes(map, planes.data(), cut, patches.data());
  engine.patches_in_lanes(map, planes.data() + cut, listed - cut,
                          patches.data() + cut * pdrt::kPatchInLanes);

  std::vector<std::int32_t> kernels(layer.kernels);
  std::iota(kernels.begin(), kernels.end(), 0);
  std::vector<std::uint8_t> nonzero(layer.kernels, 0);
  std::vector<float> lane_sums(layer.kernels * kLanes, 0.0f);
  const pdrt::cpu::EpilogueStage relu;
  pdrt::cpu::KernelsInLanes task;
  task.of.weights = weights.data();
  task.of.weights_row = layer.channels * 9;
  task.of.channel = channels.data();
  task.of.channels = listed;
  task.of.kernels = kernels.data();
  task.of.kernel_count = random_int(1, layer.kernels);
  task.of.bias = has_bias ? bias.data() : nullptr;
  task.of.output = output.pixels();
  task.of.plane = &output.plane;
  task.of.epilogue = {&relu, 1};
  task.of.nonzero = nonzero.data();
  task.of.lane_sums = lane_sums.data();
  task.map = map;
  task.patches = patches.data();
  for (int p = (task.of.kernel_count - 1) / kInLanes; p >= 0; --p) engine.kernels_in_lanes(task, p);

  bool zero = true, marked = true, summed = true;
  double largest = 1, worst = 0;
  std::vector<bool> written(output.memory.size(), false);
  for (int k = 0; k < task.of.kernel_count; ++k) {
    const std::int64_t start = output.before + output.plane.lead + k * output.plane.stride;
    bool any = false;
    double sum = 0;
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
      sum += value;
      largest = std::max(largest, exact);
      worst = std::max(worst, std::isnan(value) ? 1e9 : std::abs(value - exact));
    }
    marked = marked && (nonzero[k] != 0) == any;
    const float* const lanes = lane_sums.data() + k * kLanes;
    summed =
        summed && std::abs(std::accumulate(lanes, lanes + kLanes, 0.0) - sum) <= 1e-5 * (1 + sum);
  }
  bool untouched = std::isnan(patches.back());
  for (std::size_t i = 0; i < written.size(); ++i)
    untouched = untouched && (written[i] || std::isnan(output.memory[i]));
  CHECK(worst <= 2e-5 * largest);
  CHECK(zero);
  CHECK(marked);
  CHECK(summed);
  CHECK(untouched);
}

}  // namespace

int main() {
  for (const Engine* engine : pdrt::cpu::engines()) {
    for (int round = 0; round < 100; ++round) convolution(*engine);
  }
  return check::report();
}
