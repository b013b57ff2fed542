// Fully connected layers compute several samples at once: what they read is weights, mostly, and
// those that one sample has brought to a near cache serve the others. Every sample has lists of its
// own, of what is on.
#pragma once

#include <array>
#include <optional>

#include "run/chain.h"

namespace pdrt::run {

// With more samples, their inputs take the place of weights in the caches.
constexpr int kSamplesTogether = 8;

// One of them: what the engine has to do.
template <typename Task>
struct OneOfSamples {
  OneOfSamples(const Frame& frame, const plan::Step& step, std::int64_t sample)
      : chain(frame, step, sample), sample(sample) {}
  Chain chain;
  std::int64_t sample;
  Task task;
};

// list(one, i) makes the task of number i of the samples at hand, compute(ones, count) does them,
// until all samples of the step are done.
template <typename Task, typename List, typename Compute>
void for_samples_together(const Frame& frame, const plan::Step& step, const List& list,
                          const Compute& compute) {
  const Samples samples = frame.samples(step.outputs[0]);
  const std::int64_t end = *samples.end();
  std::array<std::optional<OneOfSamples<Task>>, kSamplesTogether> ones;
  for (std::int64_t first = *samples.begin(); first < end; first += kSamplesTogether) {
    const int count = static_cast<int>(std::min<std::int64_t>(kSamplesTogether, end - first));
    for (int i = 0; i < count; ++i) list(ones[i].emplace(frame, step, first + i), i);
    compute(ones, count);
  }
}

}  // namespace pdrt::run
