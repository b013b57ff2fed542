#include "run/device/pooled_means.h"

#include "plan/geometry.h"
#include "run/device/launch_along.h"

namespace pdrt::run::device {

using opencl::uint;

PooledMeans::PooledMeans(Builder& builder, const plan::Step& step, std::int64_t groups,
                         std::int64_t scratch)
    : wanted_(step.pooled != kAbsent) {
  if (!wanted_) return;
  const plan::Extent planes = plan::extent_of(builder.plan.value(step.outputs[0]).shape);
  const std::int64_t count = planes.samples * planes.channels;
  const uint means = dense_at(builder.plan, step.pooled);
  argument_.per_pixel = 1.0f / static_cast<float>(planes.pixels());
  argument_.shares = means;
  if (groups == 1) return;
  argument_.shares = builder.scratch(scratch + count * groups) + static_cast<uint>(scratch);
  auto [sum, sum_groups] =
      launch_along("reduce", " -DOPERATION=0", {count, groups, 1}, argument_.shares, means);
  launch_ = builder.add(std::move(sum));
  launch_groups_ = sum_groups;
}

void PooledMeans::enqueue(Workspace& work) const {
  if (launch_ >= 0) work.launch(launch_, launch_groups_);
}

}  // namespace pdrt::run::device
