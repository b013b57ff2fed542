#include "run/device/host_planes.h"

#include <algorithm>

#include "run/device/half.h"

namespace pdrt::run::device {
namespace {

// Where the planes of one sample begin in the zone of planes, in floats, and how many floats they
// are.
struct Range {
  std::size_t first = 0, count = 0;
};

Range range_of(const Frame& frame, ValueId value, std::int64_t sample) {
  const plan::Placement& at = frame.plan.values[value];
  const std::size_t channels = static_cast<std::size_t>(frame.extent(value).channels);
  return {
      at.offset / sizeof(float) + sample * at.sample_stride + at.first_channel * at.plane->stride,
      channels * at.plane->stride};
}

template <typename Visit>
void for_each_operand(const plan::Step& step, const Visit& visit) {
  for (ValueId value : step.inputs) visit(value);
  for (ValueId value : step.outputs) visit(value);
  for (const plan::ChainStage& stage : step.chain) visit(stage.value);
}

bool is_planes(const plan::Plan& plan, ValueId value) {
  return value != kAbsent && plan.planes[value];
}

void clear_gaps(float* pixels, const Plane& plane) {
  const std::int32_t gap = plane.row - plane.width, behind = plane.height * plane.row;
  for (std::int32_t y = 0; y < plane.height && gap > 0; ++y)
    std::fill_n(pixels + std::int64_t{1} * y * plane.row + plane.width, gap, 0.0f);
  std::fill(pixels + behind, pixels + plane.flat, 0.0f);
}

}  // namespace

bool uses_planes(const plan::Plan& plan, const plan::Step& step) {
  bool uses = false;
  for_each_operand(step, [&](ValueId value) { uses |= is_planes(plan, value); });
  return uses;
}

Sharing sharing_of(const plan::Plan& plan, const Device& device) {
  const bool wanted = std::any_of(plan.steps.begin(), plan.steps.end(), [&](const auto& step) {
    return !step.on_device && uses_planes(plan, step);
  });
  // Memory that the host can reach may be slower for the device.
  if (!wanted) return {false, "no step on the host needs any"};
  if (device.options.half_planes) return {false, "the device stores them as halves"};
  if (!opencl::shares_memory(device.context.device()))
    return {false, "the device has a memory of its own"};
  return {true, ""};
}

ByteRange planes_of_value(const plan::Plan& plan, ValueId value) {
  const plan::Placement& at = plan.values[value];
  const plan::Extent e = plan::extent_of(plan.value(value).shape);
  const std::size_t first = at.offset + at.first_channel * at.plane->stride * sizeof(float),
                    floats = (e.samples - 1) * at.sample_stride + e.channels * at.plane->stride;
  return {first, first + floats * sizeof(float)};
}

ByteRange planes_of_step(const plan::Plan& plan, std::size_t s) {
  ByteRange range;
  for_each_operand(plan.steps[s], [&](ValueId value) {
    if (is_planes(plan, value)) range.include(planes_of_value(plan, value));
  });
  const plan::ConvolutionPlan& own = plan.convolutions[s];
  if (own.scratch_bytes > 0) range.include({own.scratch, own.scratch + own.scratch_bytes});
  return range;
}

void clear_beside_pixels(const Frame& frame, ValueId value) {
  const Plane& plane = *frame.plan.values[value].plane;
  const plan::Extent e = frame.extent(value);
  for (std::int64_t n = 0; n < e.samples; ++n) {
    for (std::int64_t c = 0; c < e.channels; ++c) {
      if (frame.channels(value, n)[c] == Channel::off) continue;
      float* pixels = frame.plane(value, n, c);
      clear_gaps(pixels, plane);
      frame.engine.clear_border(pixels, plane);
    }
  }
}

void fetch_planes(const Frame& frame, Workspace& work, ValueId value, bool halves) {
  const Plane& plane = *frame.plan.values[value].plane;
  std::vector<std::uint16_t> half_numbers;
  for (std::int64_t n = 0; n < frame.extent(value).samples; ++n) {
    const Range range = range_of(frame, value, n);
    float* to = frame.plane(value, n, 0) - plane.lead;
    if (halves) {
      half_numbers.resize(range.count);
      work.queue.read(work.planes_on_device, range.first * sizeof(std::uint16_t),
                      half_numbers.data(), range.count * sizeof(std::uint16_t), true);
      std::transform(half_numbers.begin(), half_numbers.end(), to, float_of_half);
    } else {
      work.queue.read(work.planes_on_device, range.first * sizeof(float), to,
                      range.count * sizeof(float), true);
    }
  }
  clear_beside_pixels(frame, value);
}

void send_planes(const Frame& frame, Workspace& work, ValueId value, bool halves) {
  const Plane& plane = *frame.plan.values[value].plane;
  std::vector<std::uint16_t> half_numbers;
  for (std::int64_t n = 0; n < frame.extent(value).samples; ++n) {
    const Range range = range_of(frame, value, n);
    const float* from = frame.plane(value, n, 0) - plane.lead;
    if (halves) {
      half_numbers.resize(range.count);
      std::transform(from, from + range.count, half_numbers.begin(), half_of_float);
      work.queue.write(work.planes_on_device, range.first * sizeof(std::uint16_t),
                       half_numbers.data(), range.count * sizeof(std::uint16_t), true);
    } else {
      work.queue.write(work.planes_on_device, range.first * sizeof(float), from,
                       range.count * sizeof(float), true);
    }
  }
}

void send_flags(const Frame& frame, Workspace& work, ValueId value) {
  const plan::Placement& at = frame.plan.values[value];
  const plan::Extent e = frame.extent(value);
  std::vector<std::uint8_t> alive(e.channels);
  for (std::int64_t n = 0; n < e.samples; ++n) {
    const Channel* states = frame.channels(value, n);
    const float* constants = frame.off_values(value, n);
    for (std::int64_t c = 0; c < e.channels; ++c) {
      alive[c] =
          states[c] == Channel::on || (states[c] == Channel::materialised && constants[c] != 0.0f);
    }
    const std::byte* staged = work.stage(alive.data(), alive.size());
    work.queue.write(work.flags, static_cast<std::size_t>(at.state + n * at.state_stride), staged,
                     alive.size(), false, work.trace_event());
  }
}

std::size_t flag_bytes_of(const plan::Plan& plan, ValueId value) {
  const plan::Extent e = plan::extent_of(plan.value(value).shape);
  return static_cast<std::size_t>(e.samples * e.channels);
}

PlaneStates::PlaneStates(const Frame& frame, const plan::Step& step, const Moves& moves)
    : frame_(frame) {
  const auto save = [&](ValueId value) {
    if (value == kAbsent || !frame.plan.planes[value]) return;
    const plan::Extent e = frame.extent(value);
    for (std::int64_t n = 0; n < e.samples; ++n) {
      Channel* states = frame.channels(value, n);
      saved_.push_back({value, n, std::vector<Channel>(states, states + e.channels)});
      // The device wrote them where they are its own; here they are still to be written.
      if (!moves.on_device[value])
        std::replace(states, states + e.channels, Channel::materialised, Channel::off);
    }
  };
  for (ValueId value : step.inputs) save(value);
  for (const plan::ChainStage& stage : step.chain) save(stage.value);
}

void PlaneStates::restore() const {
  for (const Saved& saved : saved_) {
    std::copy(saved.states.begin(), saved.states.end(), frame_.channels(saved.value, saved.sample));
  }
}

}  // namespace pdrt::run::device
