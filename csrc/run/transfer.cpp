#include "run/transfer.h"

namespace pdrt::run {
namespace {

// A row longer than any picture's; a plane's span must fit in 32 bits.
constexpr std::int64_t kLongRow = std::int64_t{1} << 20;

// The caller's planes, if a step that takes them apart can read them there; else with no data.
CallersPlanes callers_planes(const plan::Placement& at, const TensorView& from) {
  CallersPlanes planes;
  const int height = at.plane->height, width = at.plane->width;
  const std::int64_t row = from.rank == 4 ? from.strides[2] : width;
  const bool plain = from.strides[from.rank - 1] == 1 && row >= width && row <= kLongRow &&
                     height <= kLongRow / row;
  if (!at.taken_apart || !plain) return planes;
  planes.data = from.as<float>();
  planes.sample_stride = from.strides[0];
  planes.channel_stride = from.strides[1];
  planes.plane.height = height;
  planes.plane.width = width;
  planes.plane.row = static_cast<std::int32_t>(row);
  planes.plane.stride = planes.plane.flat = (height - 1) * planes.plane.row + width;
  return planes;
}

void load_planes(const Frame& frame, ValueId id, const TensorView& from) {
  const plan::Extent e = frame.extent(id);
  const Plane& plane = *frame.plan.values[id].plane;
  const std::int64_t row = from.rank == 4 ? from.strides[2] : 0,
                     pixel = from.strides[from.rank - 1];
  CallersPlanes& callers = frame.work.callers_planes[id];
  callers = callers_planes(frame.plan.values[id], from);
  for (std::int64_t n = 0; n < e.samples; ++n) {
    std::fill_n(frame.channels(id, n), e.channels, Channel::on);
    std::fill_n(frame.off_values(id, n), e.channels, 0.0f);
    if (callers.data != nullptr) continue;
    for (std::int64_t c = 0; c < e.channels; ++c) {
      float* to = frame.plane(id, n, c);
      frame.engine.load_plane(from.as<float>() + n * from.strides[0] + c * from.strides[1], row,
                              pixel, to, plane);
      frame.engine.clear_border(to, plane);
    }
  }
}

}  // namespace

void load_input(const Frame& frame, ValueId id, const TensorView& from) {
  if (frame.plan.values[id].plane) {
    load_planes(frame, id, from);
  } else if (from.contiguous()) {
    frame.work.inputs[id] = from.data;
  } else {
    // Dense inputs have room of their own for this case.
    copy(from, TensorView(frame.writable(id), from.dtype, from.shape()));
    frame.work.inputs[id] = frame.writable(id);
  }
}

void store_output(const Frame& frame, ValueId id, const TensorView& to) {
  if (!frame.plan.values[id].plane) {
    copy(frame.view(id), to);
    return;
  }
  const plan::Extent e = frame.extent(id);
  const Plane& plane = *frame.plan.values[id].plane;
  for (std::int64_t n = 0; n < e.samples; ++n) {
    for (std::int64_t c = 0; c < e.channels; ++c) {
      float* out = to.as<float>() + (n * e.channels + c) * e.pixels();
      if (frame.channels(id, n)[c] == Channel::on) {
        frame.engine.store_plane(frame.plane(id, n, c), plane, out);
      } else {
        std::fill_n(out, e.pixels(), frame.off_values(id, n)[c]);
      }
    }
  }
}

}  // namespace pdrt::run
