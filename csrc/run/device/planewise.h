// Launches that go over planes pixel by pixel, one kernel at a time.
#pragma once

#include "run/device/lists.h"

namespace pdrt::run::device {

// Work-items of a work-group, all in one plane.
constexpr std::size_t kPlaneGroup = 64;

int add_elementwise(Builder& builder, const opencl::ElementwiseArguments& arguments);
int add_fill(Builder& builder, const opencl::FillArguments& arguments);

// For so many work-items in a plane.
inline Groups groups_over(std::int64_t items, std::int64_t kernels, std::int64_t entries) {
  return {(static_cast<std::size_t>(items) + kPlaneGroup - 1) / kPlaneGroup,
          static_cast<std::size_t>(kernels), static_cast<std::size_t>(entries)};
}

// For one work-item per pixel, or one for `pixels` of them.
inline Groups planewise_groups(const Plane& plane, std::int64_t kernels, std::int64_t entries,
                               int pixels = 1) {
  return groups_over((std::int64_t{1} * plane.height * plane.width + pixels - 1) / pixels, kernels,
                     entries);
}

constexpr int kElementwisePixels = 4;  // of a work-item of elementwise.cl

}  // namespace pdrt::run::device
