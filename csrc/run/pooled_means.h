// The mean of each plane that a convolution makes, where a global average pool is part of the step:
// kernels add pixels up as they store them.
#pragma once

#include "run/frame.h"

namespace pdrt::run {

// Pixels are added up block by block, lane by lane. Blocks depend on the plane alone, so that the
// sums are the same to the last bit however many threads share the plane: a power of two of them,
// nearly even, for these to share.
constexpr int kLeastSumBlock = kPartPixels, kMostSumBlocks = 16;

// Pixels of a block, a multiple of kLanes; the last one may have fewer.
inline int sum_block(const Plane& plane) {
  int blocks = 1;
  while (2 * blocks <= kMostSumBlocks && plane.flat / (2 * blocks) >= kLeastSumBlock) blocks *= 2;
  const int groups = plane.flat / kLanes;
  return (groups + blocks - 1) / blocks * kLanes;
}
inline int sum_blocks(const Plane& plane) {
  const int block = sum_block(plane);
  return (plane.flat + block - 1) / block;
}

class PooledMeans {
 public:
  // Of one sample of a step; nothing is done where no pool is part of it.
  PooledMeans(const Frame& frame, const plan::Step& step, std::int64_t sample);

  // Clears the sums of all kernels and returns those of the first block, [kernel][kLanes]; nullptr
  // where none are wanted. The next block's follow.
  float* begin() const;
  // When the states of all planes are known: writes the means.
  void finish() const;

  static std::int64_t floats(const plan::Plan& plan);  // of room that the steps of a plan need

 private:
  const Frame& frame_;
  const plan::Step& step_;
  const std::int64_t sample_, kernels_;
  const Plane& plane_;
};

}  // namespace pdrt::run
