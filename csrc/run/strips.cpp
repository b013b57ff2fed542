#include "run/strips.h"

#include <cstring>

#include "run/depthwise.h"

namespace pdrt::run::strips {
namespace {

// Where row `top` of kernel 0 lies while it is the first of its strip: as far behind a group of
// lanes as in a whole plane.
float* start_of(const cpu::Convolution& task, int top) {
  return task.output + top * task.plane->row % kLanes;
}

// The second step, as far as the rows go that it reads.
class Follower {
 public:
  Follower(const Frame& frame, const Group& group)
      : first_(group.task),
        planes_(frame.work.strip_planes.data()),
        halo_(frame.plan.strips[group.step].halo),
        chain_(frame, frame.plan.steps[group.step + 1], group.sample),
        whole_(depthwise_task(frame, frame.plan.steps[group.step + 1], chain_, group.sample)),
        engine_(frame.engine) {
    whole_.inputs = planes_;
    whole_.kernels = first_.kernels;
    whole_.kernel_count = first_.kernel_count;
    whole_.nonzero = frame.strip_nonzero(frame.plan.steps[group.step + 1].outputs[0], group.sample);
    for (int i = 0; i < first_.kernel_count; ++i) whole_.nonzero[first_.kernels[i]] = 0;
  }

  // How many of its rows can be made of the first `rows` rows of its input.
  int ready(int rows) const {
    if (rows == first_.plane->height) return whole_.plane->height;
    const int last = rows + whole_.window.pad_top - halo_ - 1;  // where its window begins
    return last < 0 ? 0 : last / whole_.window.stride_h + 1;
  }

  // Rows [from, to) of kernels [first, last) of the list, while rows [top, bottom) of the input are
  // there, and those above them that are still needed.
  void run(int first, int last, int from, int to, int top, int bottom) const {
    const int above = std::min(halo_, top);
    Plane in = *first_.plane, out = *whole_.plane;
    in.lead = 0;
    in.height = above + bottom - top;
    in.flat = in.stride = in.height * in.row;
    out.flat = to == out.height ? out.flat - from * out.row : (to - from) * out.row;
    out.height = to - from;
    const float* const strip = start_of(first_, top) - std::int64_t{above} * in.row;
    for (int i = first; i < last; ++i) {
      planes_[i] = strip + std::int64_t{first_.kernels[i]} * first_.plane->stride;
    }
    cpu::Depthwise task = whole_;
    task.in_plane = &in;
    task.window.pad_top += top - above - from * task.window.stride_h;
    task.output += std::int64_t{from} * out.row;
    task.plane = &out;
    engine_.depthwise(task, first, last);
  }

 private:
  const cpu::Convolution& first_;
  const float** const planes_;  // by position in its list
  const int halo_;
  const Chain chain_;
  cpu::Depthwise whole_;  // over whole planes
  const cpu::Engine& engine_;
};

}  // namespace

void run(const Frame& frame, const Group& group, std::int64_t macs) {
  const plan::Strips& strips = frame.plan.strips[group.step];
  const Plane& plane = *group.task.plane;
  const Follower follower(frame, group);
  const std::size_t kept = static_cast<std::size_t>(strips.halo) * plane.row;  // floats
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

}  // namespace pdrt::run::strips
