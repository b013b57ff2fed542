// Winograd's transforms on every engine this machine can run: together with plain products they
// must give the convolution, in double precision, whatever the map, its padding and its pieces.

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "check.h"
#include "cpu/engine.h"
#include "maps.h"

namespace {

using namespace maps;
using pdrt::cpu::Engine;

// One kernel on a few channels, bias and ReLU behind it.
void convolution(const Engine& engine, int tile, int most_columns) {
  const int pad_top = random_int(0, 2), pad_left = random_int(0, 2);
  const int height = random_int(std::max(1, 3 - pad_top), 40),
            width = random_int(std::max(1, 3 - pad_left), most_columns);
  const int out_h = height + pad_top - 2 + random_int(0, 2),
            out_w = width + pad_left - 2 + random_int(0, 2);
  if (out_h < 1 || out_w < 1) return;
  const int channels = random_int(1, 20), side = tile + 2, positions = side * side;
  std::normal_distribution<float> normal;
  std::vector<float> taps(channels * 9);
  for (float& tap : taps) tap = normal(generator);
  std::vector<Map> inputs;
  for (int c = 0; c < channels; ++c) inputs.emplace_back(height, width).fill();
  Map output(out_h, out_w);
  const float bias = normal(generator);

  pdrt::WinogradMap map;
  map.tile = tile;
  map.tiles_x = (out_w + tile - 1) / tile;
  const int down = (out_h + tile - 1) / tile;
  int piece = random_int(1, down);
  while (tile * side * pdrt::winograd_line(piece, map.tiles_x) > pdrt::kWinogradScratch) --piece;
  const std::vector<std::uint32_t> input_columns = columns(pad_left, width),
                                   output_columns = columns(0, out_w);

  std::vector<float> weights(positions * channels, kPoison);
  engine.winograd_weights(tile, taps.data(), channels, weights.data(), channels);
  pdrt::cpu::EpilogueStage relu;
  std::vector<float> lane_sums(kLanes, 0.0f);
  bool seen = false;
  for (int row = 0; row < down; row += piece) {
    map.first_row = row;
    map.rows = std::min(piece, down - row);
    const int tiles = map.rows * map.tiles_x, stride = rounded_up(tiles);
    std::vector<float> sums(positions * stride, 0.0f), patch(positions * stride, kPoison);
    for (int c = 0; c < channels; ++c) {
      map.plane = &inputs[c].plane;
      map.pad_top = pad_top;
      map.pad_left = pad_left;
      map.columns = input_columns.data();
      engine.winograd_input(map, inputs[c].pixels(), nullptr, patch.data(), stride);
      for (int p = 0; p < positions; ++p) {
        for (int t = 0; t < stride; ++t)
          sums[p * stride + t] += weights[p * channels + c] * patch[p * stride + t];
      }
    }
    for (int p = 0; p < positions; ++p) {  // what is no tile must not be looked at
      std::fill(sums.begin() + p * stride + tiles, sums.begin() + (p + 1) * stride, kPoison);
    }
    pdrt::cpu::WinogradOutput task;
    task.map = map;
    task.map.plane = &output.plane;
    task.map.columns = output_columns.data();
    task.bias = bias;
    task.epilogue = {&relu, 1};
    task.output = output.pixels();
    task.lane_sums = lane_sums.data();
    seen = engine.winograd_output(task, sums.data(), stride) || seen;
  }

  bool right = true, zero = true, untouched = true, any = false;
  double largest = 1, sum = 0;
  for (int i = 0; i < output.plane.flat; ++i) {
    const float value = output.pixels()[i];
    if (output.mask[i] == 0) {
      zero = zero && value == 0.0f;
      continue;
    }
    const int y = i / output.plane.row, x = i % output.plane.row;
    double exact = bias;
    for (int c = 0; c < channels; ++c) {
      for (int t = 0; t < 9; ++t) {
        const int from_y = y + t / 3 - pad_top, from_x = x + t % 3 - pad_left;
        if (from_y < 0 || from_y >= height || from_x < 0 || from_x >= width) continue;
        exact += static_cast<double>(taps[c * 9 + t]) *
                 inputs[c].pixels()[from_y * inputs[c].plane.row + from_x];
      }
    }
    exact = std::max(exact, 0.0);
    largest = std::max(largest, exact);
    any = any || value != 0.0f;
    sum += value;
    right = right && std::abs(value - exact) <= (tile == 6 ? 1e-4 : 2e-5) * largest * 3;
  }
  for (std::size_t i = 0; i < output.memory.size(); ++i) {
    const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(i) - output.before - output.plane.lead;
    if (at < 0 || at >= output.plane.flat) untouched = untouched && std::isnan(output.memory[i]);
  }
  const double summed = std::accumulate(lane_sums.begin(), lane_sums.end(), 0.0);
  CHECK(right);
  CHECK(std::abs(summed - sum) <= 1e-5 * (1 + sum));
  CHECK(zero);
  CHECK(untouched);
  CHECK(seen == any);
}

// A panel holds what its kernels have one by one, and zeros where there is no kernel.
void panel(const Engine& engine, int tile) {
  const int positions = (tile + 2) * (tile + 2), channels = random_int(1, 20),
            kernels = random_int(1, kLanes), panel = channels * kLanes;
  const std::int64_t row = channels * 9 + random_int(0, 5);
  std::normal_distribution<float> normal;
  std::vector<float> taps(kernels * row);
  for (float& tap : taps) tap = normal(generator);
  std::vector<float> together(positions * panel + 1, kPoison), alone(positions * channels);
  engine.winograd_panel(tile, taps.data(), row, kernels, channels, together.data(), panel);
  bool same = std::isnan(together.back());
  for (int k = 0; k < kLanes; ++k) {
    if (k < kernels) {
      engine.winograd_weights(tile, taps.data() + k * row, channels, alone.data(), channels);
    } else {
      std::fill(alone.begin(), alone.end(), 0.0f);
    }
    for (int p = 0; p < positions; ++p) {
      for (int c = 0; c < channels; ++c)
        same = same && together[p * panel + c * kLanes + k] == alone[p * channels + c];
    }
  }
  CHECK(same);
}

// Listed inputs have the weights that all inputs have, and whatever lies between them is not looked
// at: nothing is read behind the last taps, and nothing is written behind whole vectors.
void listed(const Engine& engine, int tile) {
  const int positions = (tile + 2) * (tile + 2), channels = random_int(1, 70);
  std::normal_distribution<float> normal;
  std::vector<float> taps(9 * channels);
  for (float& tap : taps) tap = normal(generator);
  std::vector<float> all(positions * channels);
  engine.winograd_weights(tile, taps.data(), channels, all.data(), channels);
  std::vector<std::int32_t> list;
  for (int c = 0; c < channels; ++c) {
    if (random_int(0, 2) == 0) {
      list.push_back(c);
    } else {
      std::fill_n(taps.begin() + 9 * c, 9, kPoison);
    }
  }
  if (list.empty()) return;
  const int count = static_cast<int>(list.size()), room = (count + kLanes - 1) / kLanes * kLanes;
  std::vector<float> some(positions * room + 1, kPoison);
  pdrt::cpu::ListedWeights task;
  task.taps = taps.data();
  task.channels = channels;
  task.listed = list.data();
  task.count = count;
  task.next = random_int(0, 1) == 0 ? taps.data() : nullptr;
  engine.winograd_listed(tile, task, some.data(), room);
  bool same = std::isnan(some.back());
  for (int p = 0; p < positions; ++p) {
    for (int i = 0; i < count; ++i)
      same = same && some[p * room + i] == all[p * channels + list[i]];
  }
  CHECK(same);
}

}  // namespace

int main() {
  for (const Engine* engine : pdrt::cpu::engines()) {
    for (int tile : {2, 4, 6}) {
      for (int round = 0; round < 60; ++round) convolution(*engine, tile, 90);
      // Narrow maps, of which several rows are computed as one.
      for (int round = 0; round < 90; ++round) convolution(*engine, tile, 9 * tile);
      for (int round = 0; round < 10; ++round) panel(*engine, tile);
      for (int round = 0; round < 20; ++round) listed(*engine, tile);
    }
  }
  return check::report();
}
