#include "run/strided_winograd.h"

#include <atomic>

namespace pdrt::run::strided_winograd {
namespace {

using plan::ConvolutionForm;
using plan::StridedPlan;

// The number of this form of weights; Winograd's other ones are their tile, or less than zero.
constexpr int kPackedForm = 7;

const StridedPlan& own_plan(const plan::Plan& plan, std::size_t step) {
  return plan.convolutions[step].strided;
}

const ConvolutionForm& form_of(const plan::Plan& plan, std::size_t step) {
  return std::get<ConvolutionForm>(plan.steps[step].form);
}

// The map in strips for so many workers: as high as planned, and what is left of the map evenly.
class StripsOfTiles {
 public:
  StripsOfTiles(const StridedPlan& plan, int workers)
      : rows_(plan.rows),
        full_(plan.down / plan.rows / workers * workers),
        left_(plan.down - full_ * plan.rows),
        parts_(std::min(workers, left_)) {}

  int count() const { return full_ + parts_; }
  void cut(int strip, WinogradMap& map) const {
    if (strip < full_) {
      map.first_row = strip * rows_;
      map.rows = rows_;
      return;
    }
    const Part part(strip - full_, parts_, left_, 1);
    map.first_row = full_ * rows_ + part.first;
    map.rows = part.last - part.first;
  }

 private:
  int rows_, full_, left_, parts_;
};

// The sums of the planes of all kernels, each in the first of its lanes.
void add_up(const Frame& frame, const cpu::Convolution& of) {
  if (of.lane_sums == nullptr) return;
  const auto plane = [&](int i) {
    const std::int64_t kernel = of.kernels[i];
    of.lane_sums[kernel * kLanes] =
        frame.engine.plane_sum(of.output + kernel * of.plane->stride, *of.plane);
  };
  for_each_piece(frame, of.kernel_count, std::int64_t{of.kernel_count} * of.plane->flat, plane);
}

}  // namespace

std::string parameter(const plan::Plan&, std::size_t) { return "F(4x4, 4x4)"; }

bool possible(const plan::Plan& plan, std::size_t step) { return own_plan(plan, step).possible(); }

double cost(const plan::Plan& plan, std::size_t step, std::int64_t kernels, std::int64_t channels) {
  return own_plan(plan, step).cost.of(kernels, channels);
}

const float* pack(const plan::Plan& plan, std::size_t step, const cpu::Engine& engine, int threads,
                  PackedWeights& packed) {
  const ConvolutionForm& form = form_of(plan, step);
  return packed.get(form.weights, kPackedForm, [&] {
    const std::int64_t row = kStridedPositions * kStridedPhases * form.channels;
    Tensor tensor(DType::f32, {form.kernels, row});
    cpu::parallel_for(static_cast<int>(form.kernels), threads, [&](int k) {
      engine.strided_weights(form.weights + k * form.channels * form.taps(),
                             static_cast<int>(form.channels), tensor.as<float>() + k * row);
    });
    return tensor;
  });
}

// Every worker transforms inputs for itself: caches of other cores would hand them on slowly.
void run(const Frame& frame, const Group& group, const float* weights) {
  const StridedPlan& own = own_plan(frame.plan, group.step);
  const ConvolutionForm& form = form_of(frame.plan, group.step);
  const cpu::Convolution& of = group.task;
  cpu::StridedWinograd task;
  task.of = of;
  task.of.weights = weights;
  task.of.weights_row = kStridedPositions * kStridedPhases * form.channels;
  task.position_stride = own.position_stride(form.channels);
  task.tiles = own.tiles;
  task.map.tile = kStridedTile;
  task.map.tiles_x = own.across;
  task.map.plane = of.plane;
  task.map.columns = own.output_columns.data();
  WinogradMap input = task.map;
  const ValueId planes = frame.plan.steps[group.step].inputs[0];
  const Frame::Planes read = frame.planes_to_read(planes, group.sample);
  input.plane = &read.geometry;
  input.pad_top = form.pad_top;
  input.pad_left = form.pad_left;
  input.columns = own.input_columns.data();

  const std::int64_t pairs = std::int64_t{1} * of.kernel_count * std::max(1, of.channels);
  const std::int64_t macs = pairs * frame.plan.steps[group.step].layer->macs_per_pair;
  const int workers =
      worth_sharing(frame, macs, kSharedMacs) ? std::min(frame.threads, own.workers()) : 1;
  const StripsOfTiles strips(own, workers);
  auto* const scratch =
      reinterpret_cast<float*>(frame.work.planes() + frame.plan.convolutions[group.step].scratch);
  std::atomic<int> next{0};
  cpu::parallel_for(workers, workers, [&](int worker) {
    cpu::StridedWinograd mine = task;
    WinogradMap from = input;
    float* const patches = scratch + worker * own.worker_floats(form.channels);
    mine.patches = patches;
    mine.scratch = patches + own.patch_floats(form.channels);
    for (int strip; (strip = next.fetch_add(1, std::memory_order_relaxed)) < strips.count();) {
      strips.cut(strip, mine.map);
      strips.cut(strip, from);
      for (int c = 0; c < of.channels; ++c) {
        frame.engine.strided_input(from, of.inputs[c],
                                   patches + std::int64_t{kStridedPhases} * c * own.tiles,
                                   own.tiles, task.position_stride, mine.scratch);
      }
      frame.engine.strided_kernels(mine);
    }
  });
  add_up(frame, of);
}

}  // namespace pdrt::run::strided_winograd
