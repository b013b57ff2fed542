#include "run/winograd.h"

#include "planes/panels.h"
#include "run/pooled_rows.h"
#include "run/stored_weights.h"

namespace pdrt::run::winograd {
namespace {

using plan::ConvolutionForm;
using plan::WinogradPlan;

const WinogradPlan& own_plan(const plan::Plan& plan, std::size_t step) {
  return plan.convolutions[step].winograd;
}

// Fewer kernels in a piece of work would read all the transformed inputs for too little.
constexpr int kLeastKernels = 24;
// Channels to transform in one piece of work.
constexpr int kPiece = 8;

int divided(int count, int size) { return (count + size - 1) / size; }

// What one row of pieces of the map needs.
struct Strip {
  const WinogradPlan& own;
  bool in_panels;               // the weights
  const std::int32_t* channel;  // of each place in the list
  WinogradMap map;
  float* patches;  // transformed inputs: [position][place in the list][tile]
  std::int64_t patch_stride;
  float* sums;  // of all kernels, the same way
  Plane plane;  // the tiles as pixels of one line
};

// The sums of kernels [first, last) of the list at one position, [place in the list][tile]: a 1x1
// convolution of tiles.
void multiply(const Frame& frame, const cpu::Convolution& of, const Strip& strip,
              const float* weights, int position, int first, int last) {
  const std::int64_t weights_stride = strip.own.weights_stride;
  const auto offset = static_cast<std::int32_t>(position * strip.patch_stride);
  cpu::Convolution task;
  task.inputs = frame.work.patch_planes.data();
  task.channel = strip.channel;
  task.channels = of.channels;
  task.offsets = &offset;
  task.taps = 1;
  task.in_panels = strip.in_panels;
  task.weights = weights + position * weights_stride;
  task.weights_row = of.weights_row / 9;
  if (position + 1 < strip.own.positions()) task.next_weights = task.weights + weights_stride;
  task.kernels = of.kernels;
  task.kernel_count = of.kernel_count;
  task.output = strip.sums + position * strip.own.position_stride(of.kernel_count);
  task.in_order = true;
  task.plane = &strip.plane;
  frame.engine.convolve(task, first, last, 0, strip.plane.flat);
}

// The planes of kernels [first, last) of the list, from their sums.
void transform_sums(const Frame& frame, const Group& group, const Strip& strip, int first,
                    int last) {
  const cpu::Convolution& task = group.task;
  const PooledRows pooled(frame, group);
  const int top = strip.own.tile * strip.map.first_row,
            bottom = std::min(top + strip.own.tile * strip.map.rows, task.plane->height);
  const ValueId planes = frame.plan.steps[group.step].outputs[0];
  const bool in_one_place = frame.plan.values[planes].in_passing;  // see direct.cpp
  cpu::WinogradOutput output;
  output.map = strip.map;
  output.map.plane = task.plane;
  output.map.columns = strip.own.output_columns.data();
  output.epilogue = task.epilogue;
  for (int i = first; i < last; ++i) {
    const std::int32_t kernel = task.kernels[i];
    output.bias = task.bias ? task.bias[kernel] : 0.0f;
    output.kernel = kernel;
    const std::int32_t place = in_one_place ? task.kernels[first] : kernel;
    float* const plane = task.output + std::int64_t{place} * task.plane->stride;
    output.output = pooled.wanted() ? plane - std::int64_t{top} * task.plane->row : plane;
    if (task.lane_sums) output.lane_sums = task.lane_sums + std::int64_t{kernel} * kLanes;
    const float* own = strip.sums + std::int64_t{i} * strip.own.tiles;
    if (frame.engine.winograd_output(output, own, strip.own.position_stride(task.kernel_count)))
      task.nonzero[kernel] = 1;
    if (pooled.wanted()) pooled.pool(kernel, plane, top, bottom);
  }
}

// Position by position: inputs and weights of one position stay in a second-level cache. Several
// threads have positions of their own, so that inputs are read by one of them each: lines that two
// cores have read take long to be written again, see bench/NOTES.md. Where there are more sums than
// inputs, because few of these are on, every thread keeps those of its own kernels.
void compute_kernels(const Frame& frame, const Group& group, const Strip& strip,
                     const float* weights) {
  const cpu::Convolution& task = group.task;
  const int positions = strip.own.positions();
  const std::int64_t macs =
      std::int64_t{1} * task.kernel_count * task.channels * positions * strip.plane.flat;
  const int most = divided(task.kernel_count, kLeastKernels);
  const bool shared = worth_sharing(frame, macs, kSharedMacs);
  const auto for_pieces = [&](int pieces, const auto& piece) {
    cpu::parallel_for(pieces, frame.threads, [&](int index) {
      const Part part(index, pieces, task.kernel_count, 1);
      piece(part.first, part.last);
    });
  };
  if (shared && (!strip.in_panels || task.channels >= task.kernel_count)) {
    const int parts = std::min(most, divided(2 * frame.threads, positions));
    cpu::parallel_for(positions * parts, frame.threads, [&](int index) {
      const Part part(index % parts, parts, task.kernel_count, 1);
      multiply(frame, task, strip, weights, index / parts, part.first, part.last);
    });
    for_pieces(std::min(task.kernel_count, 2 * frame.threads),
               [&](int first, int last) { transform_sums(frame, group, strip, first, last); });
    return;
  }
  const int pieces = !shared                     ? 1
                     : most >= 2 * frame.threads ? 2 * frame.threads
                                                 : std::min(most, frame.threads);
  for_pieces(pieces, [&](int first, int last) {
    for (int position = 0; position < positions; ++position)
      multiply(frame, task, strip, weights, position, first, last);
    transform_sums(frame, group, strip, first, last);
  });
}

// Changes the order of the inputs where they are few of all: every kVisits-th, then those behind
// them. In ascending order a processor takes lines that are somewhat close for a stream, fetches
// the others, too, and half of the weights come no faster than all of them.
void visit_in_turns(const Frame& frame, cpu::Convolution& task, std::int64_t all) {
  constexpr int kVisits = 8, kFew = 70;  // percent
  if (task.channels * 100 > all * kFew) return;
  Workspace& work = frame.work;
  int place = 0;
  for (int first = 0; first < kVisits; ++first) {
    for (int c = first; c < task.channels; c += kVisits, ++place) {
      work.visited_channels[place] = task.channel[c];
      work.visited_planes[place] = task.inputs[c];
    }
  }
  task.channel = work.visited_channels.data();
  task.inputs = work.visited_planes.data();
}

// Weights at every position, kernel by kernel or panel by panel.
void transform_weights(const ConvolutionForm& form, const WinogradPlan& own, bool in_panels,
                       const cpu::Engine& engine, int threads, float* to) {
  const int kernels = static_cast<int>(form.kernels), channels = static_cast<int>(form.channels);
  const std::int64_t row = form.channels * 9;
  const auto kernel = [&](int k) {
    engine.winograd_weights(own.tile, form.weights + k * row, channels, to + k * form.channels,
                            own.weights_stride);
  };
  const auto panel = [&](int index) {
    const int k = index * kLanes;
    engine.winograd_panel(own.tile, form.weights + k * row, row, std::min(kLanes, kernels - k),
                          channels, to + panel_place(k, channels), own.weights_stride);
  };
  if (in_panels) {
    cpu::parallel_for(divided(kernels, kLanes), threads, panel);
  } else {
    cpu::parallel_for(kernels, threads, kernel);
  }
}

}  // namespace

std::string parameter(const plan::Plan& plan, std::size_t step) {
  const std::string side = std::to_string(own_plan(plan, step).tile);
  return "F(" + side + "x" + side + ", 3x3)";
}

bool possible(const plan::Plan& plan, std::size_t step) { return own_plan(plan, step).possible(); }

double cost(const plan::Plan& plan, std::size_t step, std::int64_t kernels, std::int64_t channels) {
  return own_plan(plan, step).cost.of(kernels, channels);
}

const float* pack(const plan::Plan& plan, std::size_t step, const cpu::Engine& engine, int threads,
                  PackedWeights& packed) {
  const auto& form = std::get<ConvolutionForm>(plan.steps[step].form);
  const WinogradPlan& own = own_plan(plan, step);
  const bool in_panels = plan.steps[step].in_panels;
  return packed.get(form.weights, in_panels ? -own.tile : own.tile, [&] {
    fetch_weights(plan, step);
    Tensor tensor(DType::f32, {own.positions(), own.weights_stride});
    transform_weights(form, own, in_panels, engine, threads, tensor.as<float>());
    return tensor;
  });
}

void run(const Frame& frame, const Group& group, const float* weights) {
  cpu::Convolution task = group.task;
  const WinogradPlan& own = own_plan(frame.plan, group.step);
  const auto& form = std::get<ConvolutionForm>(frame.plan.steps[group.step].form);
  Workspace& work = frame.work;

  const bool in_panels = frame.plan.steps[group.step].in_panels;
  if (in_panels) visit_in_turns(frame, task, form.channels);
  const std::int64_t patch_stride = own.position_stride(task.channels);
  auto* const patches =
      reinterpret_cast<float*>(work.planes() + frame.plan.convolutions[group.step].scratch);
  float* const sums = patches + own.positions() * patch_stride;
  Strip strip{own, in_panels, task.channel, {}, patches, patch_stride, sums, {}};
  for (int c = 0; c < task.channels; ++c) {
    work.patch_planes[c] = strip.patches + std::int64_t{c} * own.tiles;
  }
  strip.map.tile = own.tile;
  strip.map.tiles_x = own.across;
  strip.map.plane = frame.plan.values[frame.plan.steps[group.step].inputs[0]].plane;
  strip.map.pad_top = form.pad_top;
  strip.map.pad_left = form.pad_left;
  strip.map.columns = own.input_columns.data();
  strip.plane.stride = own.tiles;

  for (int row = 0; row < own.down; row += own.rows) {
    strip.map.first_row = row;
    strip.map.rows = std::min(own.rows, own.down - row);
    const int tiles = strip.map.rows * own.across;
    strip.plane.width = strip.plane.row = tiles;
    strip.plane.flat = divided(tiles, kLanes) * kLanes;
    const auto transform = [&](int piece) {
      const int end = std::min(task.channels, (piece + 1) * kPiece);
      for (int c = piece * kPiece; c < end; ++c) {
        const float* const next = c + 1 < task.channels ? task.inputs[c + 1] : nullptr;
        frame.engine.winograd_input(strip.map, task.inputs[c], next,
                                    strip.patches + std::int64_t{c} * own.tiles,
                                    strip.patch_stride);
      }
    };
    for_each_piece(frame, divided(task.channels, kPiece),
                   std::int64_t{task.channels} * own.positions() * tiles, transform);
    compute_kernels(frame, group, strip, weights);
  }
}

}  // namespace pdrt::run::winograd
