#include "run/direct.h"

#include "run/pooled_means.h"
#include "run/strips.h"

namespace pdrt::run::direct {
namespace {

// Replaces the listed planes by their phases, where taps cannot read the planes themselves.
void split_inputs(const Frame& frame, std::size_t s, int visited) {
  const plan::ConvolutionPlan& own = frame.plan.convolutions[s];
  if (own.taps.direct) return;
  Workspace& work = frame.work;
  Phases phases = own.taps.phases;
  phases.phases = own.taps.phase_list.data();
  float* scratch = reinterpret_cast<float*>(work.planes() + own.scratch);
  const std::int64_t floats = own.taps.floats_per_channel();
  const Plane& plane = frame.planes_to_read(frame.plan.steps[s].inputs[0], 0).geometry;
  auto split = [&](int i) {
    frame.engine.split(phases, work.input_planes[i], plane, scratch + i * floats + phases.lead);
  };
  for_each_piece(frame, visited, visited * std::int64_t{plane.flat}, split);
  for (int i = 0; i < visited; ++i) work.input_planes[i] = scratch + i * floats + phases.lead;
}

// Whether planes are more than a third-level cache keeps, beside all else, of what one step hands
// to the next.
bool is_far(const cpu::Convolution& task) {
  constexpr std::int64_t kBytes = 8 << 20, kLine = 64;
  const std::int64_t floats = task.kernel_count * std::int64_t{task.plane->stride};
  return floats * static_cast<std::int64_t>(sizeof(float)) > kBytes &&
         reinterpret_cast<std::uintptr_t>(task.output) % kLine == 0;
}

// Pixels [begin, end), of which every block has sums of its own. Planes that nobody reads all go to
// the place of the first one, and stay in a near cache: pieces of work that run side by side begin
// with different kernels, or have pixels of their own.
void compute_blocks(const Frame& frame, const Group& group, int first, int last, int begin,
                    int end) {
  const ValueId output = frame.plan.steps[group.step].outputs[0];
  const std::int64_t kernels = frame.extent(output).channels;
  cpu::Convolution task = group.task;
  Plane place = *task.plane;
  if (frame.plan.values[output].in_passing) {
    task.output += std::int64_t{task.kernels[first]} * place.stride;
    place.stride = 0;
    task.plane = &place;
    task.past_caches = false;
  }
  const int pixels = sum_block(*group.task.plane);
  for (int block = begin / pixels; block * pixels < end; ++block) {
    task.lane_sums = group.task.lane_sums + block * kernels * kLanes;
    frame.engine.convolve(task, first, last, block * pixels, std::min(end, (block + 1) * pixels));
  }
}

}  // namespace

std::string parameter(const plan::Plan&, std::size_t) { return {}; }

bool possible(const plan::Plan& plan, std::size_t step) {
  return !plan.convolutions[step].pools_rows;
}

double cost(const plan::Plan& plan, std::size_t step, std::int64_t kernels, std::int64_t channels) {
  return plan.convolutions[step].direct.of(kernels, channels);
}

const float* pack(const plan::Plan&, std::size_t, const cpu::Engine&, int, PackedWeights&) {
  return nullptr;
}

void run(const Frame& frame, const Group& group, const float*) {
  cpu::Convolution& task = group.task;
  split_inputs(frame, group.step, task.channels);
  const std::int64_t pairs = std::int64_t{1} * task.kernel_count * std::max(1, task.channels);
  const std::int64_t macs = pairs * frame.plan.steps[group.step].layer->macs_per_pair;
  if (frame.plan.strips[group.step].rows > 0) return strips::run(frame, group, macs);
  task.past_caches = is_far(task);
  const auto whole = [&](int first, int last, int begin, int end) {
    frame.engine.convolve(task, first, last, begin, end);
  };
  const auto by_blocks = [&](int first, int last, int begin, int end) {
    compute_blocks(frame, group, first, last, begin, end);
  };
  if (task.lane_sums == nullptr) {
    for_each_tile(frame, task.kernel_count, task.plane->flat, macs, whole);
  } else {
    for_each_tile(frame, task.kernel_count, task.plane->flat, macs, by_blocks,
                  sum_block(*task.plane));
  }
}

}  // namespace pdrt::run::direct
