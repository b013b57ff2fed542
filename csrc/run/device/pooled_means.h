// The mean of each plane that a convolution makes, where a global average pool is part of the step.
// Work-groups leave their shares of a plane's mean, which one small launch adds up; where a single
// work-group has all of a plane's pixels, its share is the mean already.
#pragma once

#include "run/device/builder.h"
#include "run/device/workspace.h"

namespace pdrt::run::device {

class PooledMeans {
 public:
  // Of a step whose launch has `groups` work-groups along the pixels, and has taken `scratch`
  // floats of the room there is while it runs.
  PooledMeans(Builder& builder, const plan::Step& step, std::int64_t groups,
              std::int64_t scratch = 0);

  bool wanted() const { return wanted_; }
  // For the program that stores the pixels.
  const opencl::PooledMeans& argument() const { return argument_; }
  // After that program.
  void enqueue(Workspace& work) const;

 private:
  bool wanted_;
  opencl::PooledMeans argument_{};
  int launch_ = -1;
  Groups launch_groups_{};
};

}  // namespace pdrt::run::device
