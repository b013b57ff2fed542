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

}  // namespace

void fetch_planes(const Frame& frame, Workspace& work, ValueId value, bool halves) {
  const Plane& plane = *frame.plan.values[value].plane;
  const plan::Extent e = frame.extent(value);
  std::vector<std::uint16_t> half_numbers;
  for (std::int64_t n = 0; n < e.samples; ++n) {
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
    for (std::int64_t c = 0; c < e.channels; ++c) {
      if (frame.channels(value, n)[c] == Channel::off) continue;
      float* pixels = frame.plane(value, n, c);
      frame.engine.apply({}, static_cast<int>(c), pixels, pixels, plane);  // zeros in the gap
      frame.engine.clear_border(pixels, plane);
    }
  }
}

void send_planes(const Frame& frame, Workspace& work, ValueId value, bool halves) {
  const plan::Placement& at = frame.plan.values[value];
  const plan::Extent e = frame.extent(value);
  std::vector<std::uint16_t> half_numbers;
  std::vector<std::uint8_t> alive(e.channels);
  for (std::int64_t n = 0; n < e.samples; ++n) {
    const Range range = range_of(frame, value, n);
    const float* from = frame.plane(value, n, 0) - at.plane->lead;
    if (halves) {
      half_numbers.resize(range.count);
      std::transform(from, from + range.count, half_numbers.begin(), half_of_float);
      work.queue.write(work.planes_on_device, range.first * sizeof(std::uint16_t),
                       half_numbers.data(), range.count * sizeof(std::uint16_t), true);
    } else {
      work.queue.write(work.planes_on_device, range.first * sizeof(float), from,
                       range.count * sizeof(float), true);
    }
    const Channel* states = frame.channels(value, n);
    std::transform(states, states + e.channels, alive.begin(),
                   [](Channel state) { return state == Channel::off ? 0 : 1; });
    work.queue.write(work.flags, static_cast<std::size_t>(at.state + n * at.state_stride),
                     alive.data(), alive.size(), true);
  }
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
