// Shapes as planes: N samples of C channels of H x W pixels. One-dimensional maps are planes of one
// row.
#pragma once

#include "plan/program.h"
#include "planes/planes.h"

namespace pdrt::plan {

struct Extent {
  std::int64_t samples = 1, channels = 1, height = 1, width = 1;
  std::int64_t pixels() const { return height * width; }
};

// Rank 4: NCHW. Rank 3: N, C, 1, W. Rank 2: N, C, 1, 1. Lower ranks: one sample (rank 1: C
// channels).
inline Extent extent_of(const Shape& shape) {
  Extent e;
  if (shape.size() >= 2) e.samples = shape[0];
  if (shape.size() >= 2) e.channels = shape[1];
  if (shape.size() == 1) e.channels = shape[0];
  if (shape.size() == 3) e.width = shape[2];
  if (shape.size() == 4) {
    e.height = shape[2];
    e.width = shape[3];
  }
  return e;
}

// The least multiple of kLanes that is not less than x.
constexpr std::int32_t whole_lanes(std::int64_t x) {
  return static_cast<std::int32_t>((x + kLanes - 1) / kLanes * kLanes);
}

// From one plane of so many floats to the next: an odd multiple of kLanes, see Plane.
constexpr std::int32_t stride_for(std::int32_t floats) {
  const std::int32_t whole = whole_lanes(floats);
  return whole / kLanes % 2 == 0 ? whole + kLanes : whole;
}

// The shape with ones in front, as broadcasting sees it beside a tensor of higher rank.
inline Shape at_rank(const Shape& shape, std::size_t rank) {
  Shape padded(rank > shape.size() ? rank - shape.size() : 0, 1);
  padded.insert(padded.end(), shape.begin(), shape.end());
  return padded;
}

}  // namespace pdrt::plan
