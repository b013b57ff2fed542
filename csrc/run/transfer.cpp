#include "run/transfer.h"

namespace pdrt::run {
namespace {

void load_planes(const Frame& frame, ValueId id, const TensorView& from) {
  const plan::Extent e = frame.extent(id);
  const Plane& plane = *frame.plan.values[id].plane;
  const std::int64_t row = from.rank == 4 ? from.strides[2] : 0,
                     pixel = from.strides[from.rank - 1];
  for (std::int64_t n = 0; n < e.samples; ++n) {
    for (std::int64_t c = 0; c < e.channels; ++c) {
      float* to = frame.plane(id, n, c);
      frame.engine.load_plane(from.as<float>() + n * from.strides[0] + c * from.strides[1], row,
                              pixel, to, plane);
      frame.engine.clear_border(to, plane);
      frame.channels(id, n)[c] = Channel::on;
      frame.off_values(id, n)[c] = 0.0f;
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
