#include "run/frame.h"

#include <algorithm>

namespace pdrt::run {

const void* Frame::data(ValueId id) const {
  const plan::Placement& at = plan.values[id];
  if (at.place == plan::Place::constant) return plan.value(id).constant.data;
  if (at.place == plan::Place::input) return work.inputs[at.root];
  return work.dense() + at.offset;
}

Frame::Planes Frame::planes_to_read(ValueId id, std::int64_t sample) const {
  const CallersPlanes& callers = work.callers_planes[id];
  if (callers.data != nullptr) {
    return {callers.data + sample * callers.sample_stride, callers.channel_stride, callers.plane};
  }
  return {plane(id, sample, 0), plan.values[id].plane->stride, *plan.values[id].plane};
}

void Frame::materialise(ValueId id, std::int64_t sample, std::int64_t channel) const {
  Channel& state = channels(id, sample)[channel];
  if (state != Channel::off) return;
  const Plane& geometry = *plan.values[id].plane;
  float* pixels = plane(id, sample, channel);
  engine.fill(pixels, geometry, off_values(id, sample)[channel]);
  engine.clear_border(pixels, geometry);
  state = Channel::materialised;
}

void Frame::materialise_all(ValueId id) const {
  const plan::Extent e = extent(id);
  for (std::int64_t n = 0; n < e.samples; ++n) {
    for (std::int64_t c = 0; c < e.channels; ++c) materialise(id, n, c);
  }
}

bool Frame::find_needed(const plan::Step& step, std::int64_t sample, int channels) const {
  if (!skip || step.need == plan::kNeedAll) {
    std::fill_n(work.needed.begin(), channels, std::uint8_t{1});
    return true;
  }
  plan.needs.evaluate(
      step.need, static_cast<int>(sample), channels, [this](ValueId id) { return floats(id); },
      work.needed.data(), work.scratch.data());
  return std::find(work.needed.begin(), work.needed.begin() + channels, 1) !=
         work.needed.begin() + channels;
}

void Frame::count(const plan::Step& step, std::int64_t sample, std::int64_t active,
                  std::int64_t visited) const {
  work.counts[(&step - plan.steps.data()) * work.samples + sample] = {active, visited};
}

TensorView Frame::view(ValueId id) const {
  TensorView view = plan.values[id].view;
  view.data = plan.values[id].plane ? plane(id, 0, 0) : const_cast<void*>(data(id));
  return view;
}

}  // namespace pdrt::run
