#include "run/strips.h"

#include <cstring>

namespace pdrt::run::strips {
namespace {

std::uint8_t* nonzero_of(const Frame& frame, ValueId output, std::int64_t sample) {
  const plan::Placement& at = frame.plan.values[output];
  return frame.work.strip_nonzero.data() + at.state + sample * at.state_stride;
}

// Where row `top` of kernel 0 lies while it is the first of its strip: as far behind a group of
// lanes as in a whole plane.
float* start_of(const cpu::Convolution& task, int top) {
  return task.output + top * task.plane->row % kLanes;
}

// The second step, as far as the rows go that it reads.
class Follower {
 public:
  Follower(const Frame& frame, const Group& group)
      : frame_(frame),
        step_(frame.plan.steps[group.step + 1]),
        strips_(frame.plan.strips[group.step]),
        first_(group.task),
        chain_(frame, step_, group.sample),
        plane_(*frame.plan.values[step_.outputs[0]].plane),
        output_(frame.plane(step_.outputs[0], group.sample, 0)),
        nonzero_(nonzero_of(frame, step_.outputs[0], group.sample)) {
    for (int i = 0; i < first_.kernel_count; ++i) nonzero_[first_.kernels[i]] = 0;
  }

  // How many of its rows can be made of the first `rows` rows of its input.
  int ready(int rows) const {
    if (rows == first_.plane->height) return plane_.height;
    const int last = rows + strips_.window.pad_top - strips_.halo() - 1;  // where its window begins
    return last < 0 ? 0 : last / strips_.window.stride_h + 1;
  }

  // Rows [from, to) of kernels [first, last) of the list, while rows [top, bottom) of the input are
  // there, and those above them that are still needed.
  void run(int first, int last, int from, int to, int top, int bottom) const {
    const int above = std::min(strips_.halo(), top);
    Plane in = *first_.plane;
    in.lead = 0;
    in.height = above + bottom - top;
    in.flat = in.stride = in.height * in.row;
    Plane out = plane_;
    out.height = to - from;
    out.flat = to == plane_.height ? plane_.flat - from * out.row : out.height * out.row;
    Window window = strips_.window;
    window.pad_top += top - above - from * window.stride_h;
    const std::int64_t stride = first_.plane->stride;
    const float* const strip = start_of(first_, top) - std::int64_t{above} * in.row;
    float* const rows = output_ + std::int64_t{from} * out.row;
    const auto& form = std::get<plan::ConvolutionForm>(step_.form);
    for (int i = first; i < last; ++i) {
      frame_.work.strip_planes[i] = strip + first_.kernels[i] * stride;
    }
    cpu::Depthwise task;
    task.inputs = frame_.work.strip_planes.data();
    task.in_plane = &in;
    task.window = window;
    task.weights = form.weights;
    task.bias = form.bias;
    task.kernels = first_.kernels;
    task.kernel_count = first_.kernel_count;
    task.output = rows;
    task.plane = &out;
    task.epilogue = chain_.epilogue();
    task.nonzero = nonzero_;
    frame_.engine.depthwise(task, first, last);
  }

 private:
  const Frame& frame_;
  const plan::Step& step_;
  const plan::Strips& strips_;
  const cpu::Convolution& first_;
  const Chain chain_;
  const Plane& plane_;
  float* const output_;
  std::uint8_t* const nonzero_;
};

}  // namespace

void run(const Frame& frame, const Group& group, std::int64_t macs) {
  const plan::Strips& strips = frame.plan.strips[group.step];
  const Plane& plane = *group.task.plane;
  const Follower follower(frame, group);
  const std::size_t kept = static_cast<std::size_t>(strips.halo()) * plane.row;  // floats
  for_each_tile(frame, group.task.kernel_count, 1, macs, [&](int first, int last, int, int) {
    cpu::Convolution task = group.task;
    for (int top = 0, done = 0; top < plane.height; top += strips.rows) {
      const int bottom = std::min(plane.height, top + strips.rows);
      const int begin = top * plane.row;
      float* const strip = start_of(group.task, top);
      task.output = strip - begin;
      frame.engine.convolve(task, first, last, begin / kLanes * kLanes,
                            plan::whole_lanes(bottom * plane.row));
      const int ready = follower.ready(bottom);
      if (ready > done) follower.run(first, last, done, ready, top, bottom);
      done = ready;
      if (bottom == plane.height) break;
      const float* const still_needed = strip + strips.rows * plane.row - kept;
      float* const above_next = start_of(group.task, bottom) - kept;
      for (int i = first; i < last; ++i) {
        const std::int64_t at = std::int64_t{task.kernels[i]} * plane.stride;
        std::memmove(above_next + at, still_needed + at, kept * sizeof(float));
      }
    }
  });
}

void take_nonzero(const Frame& frame, ValueId output, std::int64_t sample, int count) {
  const std::uint8_t* nonzero = nonzero_of(frame, output, sample);
  for (int i = 0; i < count; ++i) {
    const std::int32_t k = frame.work.kernels[i];
    frame.work.nonzero[k] = nonzero[k];
  }
}

}  // namespace pdrt::run::strips
