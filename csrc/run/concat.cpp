// Concatenation of channels: inputs that were written in place cost nothing, the others' active
// planes are copied.

#include <cstring>

#include "run/kernel_lists.h"
#include "run/steps.h"

namespace pdrt::run {

void run_concat(const Frame& frame, std::size_t s) {
  const plan::Step& step = frame.plan.steps[s];
  const ValueId output = step.outputs[0];
  const Plane& plane = *frame.plan.values[output].plane;
  std::int64_t first = 0;
  for (ValueId input : step.inputs) {
    const std::int64_t channels = frame.extent(input).channels;
    const plan::Placement &from_at = frame.plan.values[input], &to_at = frame.plan.values[output];
    const bool in_place =
        from_at.root == to_at.root && from_at.first_channel == to_at.first_channel + first;
    for (const std::int64_t n : in_place ? Samples(0, 0) : frame.samples(output)) {
      for (std::int64_t c = 0; c < channels; ++c) {
        const int k = static_cast<int>(first + c);
        if (frame.channels(input, n)[c] != Channel::on) {
          set_constant(frame, output, n, k, frame.off_values(input, n)[c]);
          continue;
        }
        const float* from = frame.plane(input, n, c) - plane.lead;
        std::memcpy(frame.plane(output, n, k) - plane.lead, from, plane.stride * sizeof(float));
        set_written(frame, output, n, k, true);
      }
    }
    first += channels;
  }
}

}  // namespace pdrt::run
