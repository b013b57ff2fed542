#include "run/trial.h"

#include <algorithm>
#include <chrono>

namespace pdrt::run {
namespace {

constexpr int kRuns = 7;

// Numbers in (-2, 2) that look like noise, the same ones every time; small ones where they count
// things.
Tensor noise(DType dtype, const Shape& shape) {
  Tensor tensor(dtype, shape);
  std::uint32_t state = 1;
  const std::int64_t count = dtype == DType::f32 ? tensor.count() : 0;
  for (std::int64_t i = 0; i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    tensor.as<float>()[i] = static_cast<float>(state >> 8) / static_cast<float>(1 << 22) - 2.0f;
  }
  if (count == 0) std::fill_n(static_cast<std::uint8_t*>(tensor.data()), tensor.bytes(), 0);
  return tensor;
}

}  // namespace

double trial(PreparedPlan& prepared, const cpu::Engine& engine, int threads, bool skip, bool timed,
             const std::function<void(const Workspace& work)>& after) {
  const plan::Program& program = prepared.plan().program;
  std::vector<Tensor> tensors;
  std::vector<TensorView> inputs, outputs;
  const auto add = [&](const std::vector<ValueId>& ids, std::vector<TensorView>& views) {
    for (ValueId id : ids) {
      tensors.push_back(noise(program.values[id].dtype, program.values[id].shape));
      views.push_back(tensors.back().view());
    }
  };
  add(program.inputs, inputs);
  add(program.outputs, outputs);
  std::unique_ptr<Workspace> workspace = prepared.take();
  const Frame frame(prepared.plan(), prepared.packed(), engine, threads, skip, *workspace);
  std::vector<double> times;
  for (int run = 0; run < kRuns; ++run) {
    const auto start = std::chrono::steady_clock::now();
    prepared.executor().load(frame, inputs);
    prepared.executor().run(frame, timed);
    prepared.executor().store(frame, outputs);
    times.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
            .count());
    if (after) after(*workspace);
  }
  prepared.give_back(std::move(workspace));
  std::nth_element(times.begin(), times.begin() + kRuns / 2, times.end());
  return times[kRuns / 2];
}

}  // namespace pdrt::run
