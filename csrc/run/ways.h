// The ways there are to compute a convolution's active kernels over its active inputs. The step is
// the same for all; which of them runs is decided for every sample, by how much is active. One row
// each in ways.cpp.
#pragma once

#include <string>
#include <string_view>

#include "run/chain.h"
#include "run/packed_weights.h"

namespace pdrt::run {

// One group of one sample. The task names the kernels, the inputs (work.input_planes, as planes),
// bias, output and epilogue; a way may change what it needs to, but not the lists.
struct Group {
  std::size_t step;
  cpu::Convolution& task;
  std::int64_t sample = 0;
};

struct Way {
  std::string_view name;
  // The way's parameter for this step; empty where it has none.
  std::string (*parameter)(const plan::Plan& plan, std::size_t step);
  bool (*possible)(const plan::Plan& plan, std::size_t step);
  // Expected cost in cycles, comparable among ways.
  double (*cost)(const plan::Plan& plan, std::size_t step, std::int64_t kernels,
                 std::int64_t channels);
  // Weights in the form it needs; nullptr: none beside the file's.
  const float* (*pack)(const plan::Plan& plan, std::size_t step, const cpu::Engine& engine,
                       int threads, PackedWeights& packed);
  void (*run)(const Frame& frame, const Group& group, const float* packed);
};

// What all ways have in common for one sample of the step, without lists and epilogue.
cpu::Convolution task_of(const Frame& frame, std::size_t step, std::int64_t sample);

// "planes.winograd F(4x4, 3x3)": the way and its parameter.
std::string name_of_way(const plan::Plan& plan, std::size_t step, int index);

constexpr int kWays = 5;
constexpr int kDirect = 0;  // the one that can do everything but pool rows as they come
// Those of which there are several, see plan/winograd.h.
constexpr int kWinograd = 1, kWinogradInLanes = 2, kWinogradOfActive = 3;
const Way& way(int index);

// The way expected to be fastest for so many active kernels and channels: its index.
int cheapest_way(const plan::Plan& plan, std::size_t step, std::int64_t kernels,
                 std::int64_t channels);

}  // namespace pdrt::run
