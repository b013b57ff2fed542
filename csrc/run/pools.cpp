// Window pools and global pools, plane by plane. A constant plane pools to its constant without
// being read.

#include "run/chain.h"
#include "run/kernel_lists.h"
#include "run/pooled_constant.h"
#include "run/steps.h"

namespace pdrt::run {
namespace {

void pool_sample(const Frame& frame, const plan::Step& step, std::int64_t sample) {
  const auto& form = std::get<plan::PoolForm>(step.form);
  const ValueId input = step.inputs[0], output = step.outputs[0];
  Workspace& work = frame.work;
  const Chain chain(frame, step, sample);
  KernelLists lists = list_kernels(frame, step, chain, sample);
  const bool done = frame.plan.done_by_rows(&step - frame.plan.steps.data());
  int kept = 0;
  for (int i = 0; i < lists.compute; ++i) {
    const int k = work.kernels[i];
    if (frame.channels(input, sample)[k] != Channel::on &&
        stays_constant(form.pool, frame.off_values(input, sample)[k])) {
      const Verdict verdict = chain.judge_constant(k, frame.off_values(input, sample)[k]);
      if (verdict.work == Work::constant) {
        set_constant(frame, output, sample, k, verdict.constant);
        continue;
      }
    }
    if (!done) frame.materialise(input, sample, k);
    work.kernels[kept++] = k;
  }
  lists.compute = kept;
  prepare_kernels(frame, step, chain, sample, lists);
  const Plane& in_plane = *frame.plan.values[input].plane;
  const Plane& out_plane = *frame.plan.values[output].plane;
  const auto one = [&](int i) {
    const int k = work.kernels[i];
    frame.engine.pool(form.pool, frame.plane(input, sample, k), in_plane,
                      frame.plane(output, sample, k), out_plane, chain.epilogue(), k);
  };
  const std::int64_t reads =
      std::int64_t{1} * lists.compute * out_plane.flat * form.pool.kernel_h * form.pool.kernel_w;
  if (!done) for_each_piece(frame, lists.compute, reads, one);
  // A pool does not look; a plane of zeros stays on.
  for (int i = 0; i < lists.compute; ++i) work.nonzero[work.kernels[i]] = 1;
  for (int i = 0; i < lists.stages; ++i) {
    const int k = work.stage_kernels[i];
    float* pixels = frame.plane(output, sample, k);
    frame.engine.fill(pixels, out_plane, 0.0f);
    work.nonzero[k] = frame.engine.apply(chain.epilogue(), k, pixels, pixels, out_plane);
  }
  finish_kernels(frame, step, sample, lists);
}

}  // namespace

void run_pool(const Frame& frame, std::size_t step) {
  for (const std::int64_t n : frame.samples(frame.plan.steps[step].outputs[0]))
    pool_sample(frame, frame.plan.steps[step], n);
}

void run_global_pool(const Frame& frame, std::size_t s) {
  const plan::Step& step = frame.plan.steps[s];
  const auto& form = std::get<plan::GlobalPoolForm>(step.form);
  const ValueId input = step.inputs[0];
  const plan::Extent e = frame.extent(input);
  const Plane& plane = *frame.plan.values[input].plane;
  auto* out = static_cast<float*>(frame.writable(step.outputs[0]));
  const float per_pixel = 1.0f / static_cast<float>(e.pixels());
  for (std::int64_t n = 0; n < e.samples; ++n) {
    frame.find_needed(step, n, static_cast<int>(e.channels));
    const Channel* states = frame.channels(input, n);
    const float* constants = frame.off_values(input, n);
    auto one = [&](int c) {
      float& result = out[n * e.channels + c];
      if (!frame.work.needed[c]) {
        result = 0.0f;
      } else if (states[c] != Channel::on) {
        result = constants[c];
      } else if (form.maximum) {
        result = frame.engine.plane_max(frame.plane(input, n, c), plane);
      } else {
        result = frame.engine.plane_sum(frame.plane(input, n, c), plane) * per_pixel;
      }
    };
    for_each_piece(frame, e.channels, e.channels * plane.flat, one);
  }
}

}  // namespace pdrt::run
