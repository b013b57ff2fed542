#include "run/pooled_means.h"

namespace pdrt::run {
namespace {

// The sums of all blocks and lanes of one kernel.
float total_of(const float* sums, int blocks, std::int64_t block_stride) {
  float lanes[kLanes];
  std::copy_n(sums, kLanes, lanes);
  for (int b = 1; b < blocks; ++b) {
    for (int i = 0; i < kLanes; ++i) lanes[i] += sums[b * block_stride + i];
  }
  for (int half = kLanes / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

}  // namespace

PooledMeans::PooledMeans(const Frame& frame, const plan::Step& step, std::int64_t sample)
    : frame_(frame),
      step_(step),
      sample_(sample),
      kernels_(frame.extent(step.outputs[0]).channels),
      plane_(*frame.plan.values[step.outputs[0]].plane) {}

float* PooledMeans::begin() const {
  if (step_.pooled == kAbsent) return nullptr;
  std::vector<float>& sums = frame_.work.lane_sums;
  std::fill_n(sums.begin(), sum_blocks(plane_) * kernels_ * kLanes, 0.0f);
  return sums.data();
}

void PooledMeans::finish() const {
  if (step_.pooled == kAbsent) return;
  const ValueId planes = step_.outputs[0];
  const Channel* states = frame_.channels(planes, sample_);
  const float* constants = frame_.off_values(planes, sample_);
  const float* sums = frame_.work.lane_sums.data();
  const float per_pixel = 1.0f / static_cast<float>(frame_.extent(planes).pixels());
  auto* means = static_cast<float*>(frame_.writable(step_.pooled)) + sample_ * kernels_;
  for (std::int64_t k = 0; k < kernels_; ++k) {
    means[k] = states[k] == Channel::on
                   ? total_of(sums + k * kLanes, sum_blocks(plane_), kernels_ * kLanes) * per_pixel
                   : constants[k];
  }
}

std::int64_t PooledMeans::floats(const plan::Plan& plan) {
  std::int64_t most = 0;
  for (const plan::Step& step : plan.steps) {
    if (step.pooled == kAbsent) continue;
    const ValueId planes = step.outputs[0];
    most = std::max(most, plan::extent_of(plan.value(planes).shape).channels *
                              sum_blocks(*plan.values[planes].plane));
  }
  return most * kLanes;
}

}  // namespace pdrt::run
