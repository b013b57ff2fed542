#include "run/winograd_strips.h"

#include "run/pooled_rows.h"

namespace pdrt::run::winograd {
namespace {

// Fewer kernels in a piece of work would read all the transformed inputs for too little.
constexpr int kLeastKernels = 24;
// Channels to transform in one piece of work.
constexpr int kPiece = 8;

}  // namespace

Strips::Strips(const Frame& frame, const Group& group)
    : frame_(frame), group_(group), own_(own_plan(frame.plan, group.step)) {
  const cpu::Convolution& task = group.task;
  const auto& form = std::get<plan::ConvolutionForm>(frame.plan.steps[group.step].form);
  patch_stride_ = own_.position_stride(task.channels);
  patches_ =
      reinterpret_cast<float*>(frame.work.planes() + frame.plan.convolutions[group.step].scratch);
  sums_ = patches_ + own_.positions() * patch_stride_;
  sums_stride_ = own_.position_stride(task.kernel_count);
  for (int c = 0; c < task.channels; ++c)
    frame.work.patch_planes[c] = patches_ + std::int64_t{c} * own_.tiles;
  map_.tile = own_.tile;
  map_.tiles_x = own_.across;
  map_.plane = frame.plan.values[frame.plan.steps[group.step].inputs[0]].plane;
  map_.pad_top = form.pad_top;
  map_.pad_left = form.pad_left;
  map_.columns = own_.input_columns.data();
  plane_.stride = own_.tiles;
}

bool Strips::next() {
  map_.first_row += map_.rows;
  if (map_.first_row >= own_.down) return false;
  map_.rows = std::min(own_.rows, own_.down - map_.first_row);
  const int tiles = map_.rows * own_.across;
  plane_.width = plane_.row = tiles;
  plane_.flat = divided(tiles, kLanes) * kLanes;
  transform_inputs();
  return true;
}

void Strips::transform_inputs() const {
  const cpu::Convolution& task = group_.task;
  const auto transform = [&](int piece) {
    const int end = std::min(task.channels, (piece + 1) * kPiece);
    for (int c = piece * kPiece; c < end; ++c) {
      const float* const next = c + 1 < task.channels ? task.inputs[c + 1] : nullptr;
      frame_.engine.winograd_input(map_, task.inputs[c], next,
                                   patches_ + std::int64_t{c} * own_.tiles, patch_stride_);
    }
  };
  for_each_piece(frame_, divided(task.channels, kPiece),
                 std::int64_t{task.channels} * own_.positions() * plane_.width, transform);
}

// The sums of kernels [first, last) of those at hand at one position, [place in the list][tile]: a
// 1x1 convolution of tiles.
void Strips::multiply(const Weights& weights, int position, int first, int last) const {
  const auto offset = static_cast<std::int32_t>(position * patch_stride_);
  cpu::Convolution task;
  task.inputs = frame_.work.patch_planes.data();
  task.channel = weights.channel;
  task.channels = group_.task.channels;
  task.offsets = &offset;
  task.taps = 1;
  task.in_panels = weights.in_panels;
  task.weights = weights.at + position * weights.position_stride;
  task.weights_row = weights.row;
  if (weights.from_memory && position + 1 < own_.positions())
    task.next_weights = task.weights + weights.position_stride;
  task.kernels = weights.kernels;
  task.kernel_count = group_.task.kernel_count;  // however these are cut, the results are the same
  task.output = sums_ + position * sums_stride_ + std::int64_t{weights.first} * own_.tiles;
  task.in_order = true;
  task.plane = &plane_;
  frame_.engine.convolve(task, first, last, 0, plane_.flat);
}

// The planes of kernels [first, last) of the list, from their sums.
void Strips::transform_sums(int first, int last) const {
  const cpu::Convolution& task = group_.task;
  const PooledRows pooled(frame_, group_);
  const int top = own_.tile * map_.first_row,
            bottom = std::min(top + own_.tile * map_.rows, task.plane->height);
  const ValueId planes = frame_.plan.steps[group_.step].outputs[0];
  const bool in_one_place = frame_.plan.values[planes].in_passing;  // see direct.cpp
  cpu::WinogradOutput output;
  output.map = map_;
  output.map.plane = task.plane;
  output.map.columns = own_.output_columns.data();
  output.epilogue = task.epilogue;
  for (int i = first; i < last; ++i) {
    const std::int32_t kernel = task.kernels[i];
    output.bias = task.bias ? task.bias[kernel] : 0.0f;
    output.kernel = kernel;
    const std::int32_t place = in_one_place ? task.kernels[first] : kernel;
    float* const plane = task.output + std::int64_t{place} * task.plane->stride;
    output.output = pooled.wanted() ? plane - std::int64_t{top} * task.plane->row : plane;
    if (task.lane_sums) output.lane_sums = task.lane_sums + std::int64_t{kernel} * kLanes;
    const float* own = sums_ + std::int64_t{i} * own_.tiles;
    if (frame_.engine.winograd_output(output, own, sums_stride_)) task.nonzero[kernel] = 1;
    if (pooled.wanted()) pooled.pool(kernel, plane, top, bottom);
  }
}

// Position by position: inputs and weights of one position stay in a second-level cache. Several
// threads have positions of their own, so that inputs are read by one of them each: lines that two
// cores have read take long to be written again, see bench/NOTES.md. Where there are more sums than
// inputs, because few of these are on, every thread keeps those of its own kernels.
void Strips::compute(const Weights& weights) const {
  const int kernels = weights.last - weights.first, positions = own_.positions();
  const int most = divided(kernels, kLeastKernels);
  const bool shared = worth_sharing(frame_, macs(kernels), kSharedMacs);
  const auto for_pieces = [&](int pieces, const auto& piece) {
    cpu::parallel_for(pieces, frame_.threads, [&](int index) {
      const Part part(index, pieces, kernels, 1);
      piece(part.first, part.last);
    });
  };
  if (shared && (!weights.in_panels || group_.task.channels >= kernels)) {
    const int parts = std::min(most, divided(2 * frame_.threads, positions));
    cpu::parallel_for(positions * parts, frame_.threads, [&](int index) {
      const Part part(index % parts, parts, kernels, 1);
      multiply(weights, index / parts, part.first, part.last);
    });
    for_pieces(std::min(kernels, 2 * frame_.threads), [&](int first, int last) {
      transform_sums(weights.first + first, weights.first + last);
    });
    return;
  }
  const int pieces = !shared                      ? 1
                     : most >= 2 * frame_.threads ? 2 * frame_.threads
                                                  : std::min(most, frame_.threads);
  for_pieces(pieces, [&](int first, int last) { compute_here(weights, first, last); });
}

void Strips::compute_here(const Weights& weights, int first, int last) const {
  for (int position = 0; position < own_.positions(); ++position)
    multiply(weights, position, first, last);
  transform_sums(weights.first + first, weights.first + last);
}

}  // namespace pdrt::run::winograd
