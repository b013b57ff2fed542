// Fully connected layers of every engine this machine can run, by rows and by input, against plain
// loops in double precision, on random shapes.
#include <algorithm>
#include <cstdio>
#include <string>

#include "check.h"
#include "planes.h"
#include "planes/by_input.h"

namespace {

using namespace planes;
using pdrt::cpu::ByInput;
using pdrt::cpu::Engine;
using pdrt::cpu::FullyConnected;

constexpr double kTolerance = 2e-4;

void test_fully_connected(const Engine& engine, Random& random) {
  const int columns = random.between(1, random.chance(0.3) ? 600 : 70);
  const int rows = random.between(1, 30);
  const std::vector<std::int32_t> blocks = random.some_of((columns + kLanes - 1) / kLanes, true);
  const std::vector<std::int32_t> active = random.some_of(rows, false);
  // With a mask, some inputs of the blocks do not count.
  const bool masked = random.chance(0.5);
  std::vector<std::uint32_t> mask(
      (static_cast<std::size_t>(columns) + kLanes - 1) / kLanes * kLanes, 0u);
  for (int i = 0; i < columns; ++i)
    mask[static_cast<std::size_t>(i)] = masked && random.chance(0.4) ? 0u : ~0u;
  const auto counts = [&](int column) {
    return mask[static_cast<std::size_t>(column)] != 0 &&
           std::binary_search(blocks.begin(), blocks.end(), column / kLanes);
  };
  // Exactly sized: nothing behind the last column may be read.
  std::vector<float> input(static_cast<std::size_t>(columns));
  for (int i = 0; i < columns; ++i)
    input[static_cast<std::size_t>(i)] = counts(i) ? random.real() : 0.0f;
  std::vector<float> weights(static_cast<std::size_t>(rows * columns), kNaN);
  for (const int k : active) {
    for (int i = 0; i < columns; ++i) {
      if (counts(i)) weights[static_cast<std::size_t>(k * columns + i)] = random.real();
    }
  }
  std::vector<float> bias(static_cast<std::size_t>(rows), kNaN);
  for (const int k : active) bias[static_cast<std::size_t>(k)] = random.real();
  const RandomEpilogue epilogue(random, rows, 1, true);

  FullyConnected task;
  task.input = input.data();
  task.columns = columns;
  task.blocks = blocks.data();
  task.block_count = static_cast<int>(blocks.size());
  task.mask = masked ? mask.data() : nullptr;
  task.weights = weights.data();
  task.bias = random.chance(0.7) ? bias.data() : nullptr;
  task.kernels = active.data();
  task.kernel_count = static_cast<int>(active.size());
  task.epilogue = epilogue.epilogue;
  Guarded output(rows);
  task.output = output.data();
  engine.fully_connected(task, 0, task.kernel_count);
  int wrong = 0;
  for (int k = 0; k < rows; ++k) {
    if (!std::binary_search(active.begin(), active.end(), k)) {
      wrong += bits(output.data()[k]) != bits(kNaN);
      continue;
    }
    double sum = task.bias != nullptr ? task.bias[k] : 0;
    for (int i = 0; i < columns; ++i) {
      if (counts(i))
        sum += static_cast<double>(weights[static_cast<std::size_t>(k * columns + i)]) *
               input[static_cast<std::size_t>(i)];
    }
    wrong += !close(reference_epilogue(task.epilogue, k, 0, sum), output.data()[k], kTolerance);
  }
  if (wrong > 0)
    std::fprintf(stderr, "%s fully connected %d x %d\n", std::string(engine.name).c_str(), rows,
                 columns);
  CHECK(wrong == 0);
  CHECK(output.intact());

  Guarded again(rows);
  task.output = again.data();
  in_pieces(random, task.kernel_count, kLanes,
            [&](int first, int last, int, int) { engine.fully_connected(task, first, last); });
  CHECK(same(again.data(), output.data(), rows));
}

// Weights turned by the engine; those of inputs that are not listed are NaN.
void test_by_input(const Engine& engine, Random& random) {
  const int columns = random.between(1, random.chance(0.3) ? 900 : 70);
  const int rows = random.between(1, 80);
  const std::vector<std::int32_t> listed = random.some_of(columns, true);
  std::vector<float> input(static_cast<std::size_t>(columns), 0.0f);
  for (const int i : listed) input[static_cast<std::size_t>(i)] = random.real();
  std::vector<float> weights(static_cast<std::size_t>(rows * columns), kNaN);
  for (int k = 0; k < rows; ++k) {
    for (const int i : listed) weights[static_cast<std::size_t>(k * columns + i)] = random.real();
  }
  std::vector<float> bias(static_cast<std::size_t>(rows));
  for (float& number : bias) number = random.real();

  const auto row = static_cast<int>(pdrt::by_input_row(rows));
  Guarded turned(row * columns);
  in_pieces(random, row / kLanes, 1, [&](int first, int last, int, int) {
    const int kernel = first * kLanes, cut = random.between(0, columns);
    const auto turn = [&](int begin, int end) {
      engine.weights_by_input(weights.data() + std::ptrdiff_t{kernel} * columns,
                              std::min(rows, last * kLanes) - kernel, columns, begin, end,
                              turned.data() + kernel, row);
    };
    turn(cut, columns);
    turn(0, cut);
  });
  CHECK(turned.intact());
  int misplaced = 0;
  for (int k = 0; k < row; ++k) {
    for (int i = 0; i < columns; ++i) {
      const float there = turned.data()[std::ptrdiff_t{i} * row + k];
      const float wanted = k < rows ? weights[static_cast<std::size_t>(k * columns + i)] : 0.0f;
      misplaced += bits(there) != bits(wanted);
    }
  }
  CHECK(misplaced == 0);

  const RandomEpilogue epilogue(random, rows, 1, true);
  ByInput task;
  task.input = input.data();
  task.listed = listed.data();
  task.listed_count = static_cast<int>(listed.size());
  task.weights = turned.data();
  task.bias = random.chance(0.7) ? bias.data() : nullptr;
  task.kernels = rows;
  task.epilogue = epilogue.epilogue;
  const int parts = random.between(1, 4);
  // Of every part of the list: in one go, or in pieces.
  const auto compute = [&](bool cut, float* output) {
    task.output = output;
    Guarded sums(parts * row);
    std::fill_n(sums.data(), parts * row, 0.0f);
    for (int part = 0; part < parts; ++part) {
      const int begin = task.listed_count * part / parts,
                end = task.listed_count * (part + 1) / parts;
      const int between = cut ? random.between(begin, end) : begin;
      engine.add_inputs(task, begin, between, sums.data() + part * row);
      engine.add_inputs(task, between, end, sums.data() + part * row);
    }
    CHECK(sums.intact());
    engine.finish_sums(task, sums.data(), parts);
  };
  Guarded output(rows);
  compute(false, output.data());
  int wrong = 0;
  for (int k = 0; k < rows; ++k) {
    double sum = task.bias != nullptr ? task.bias[k] : 0;
    for (const int i : listed)
      sum += static_cast<double>(weights[static_cast<std::size_t>(k * columns + i)]) *
             input[static_cast<std::size_t>(i)];
    wrong += !close(reference_epilogue(task.epilogue, k, 0, sum), output.data()[k], kTolerance);
  }
  if (wrong > 0)
    std::fprintf(stderr, "%s by input %d x %d\n", std::string(engine.name).c_str(), rows, columns);
  CHECK(wrong == 0);
  CHECK(output.intact());

  Guarded again(rows);
  compute(true, again.data());
  CHECK(same(again.data(), output.data(), rows));
}

}  // namespace

int main() {
  for (const Engine* engine : pdrt::cpu::engines()) {
    Random random(7);
    for (int i = 0; i < 800; ++i) test_fully_connected(*engine, random);
    for (int i = 0; i < 800; ++i) test_by_input(*engine, random);
  }
  return check::report();
}
