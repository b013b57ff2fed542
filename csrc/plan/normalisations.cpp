// Batch normalisations that leave no trace in a run: scales in the weights of the convolution
// before them, shifts in its bias.
#include <algorithm>
#include <cmath>

#include "plan/plan.h"

namespace pdrt::plan {
namespace {

// Weights are copied for it, and the pages of the file stay: no more than so many of a layer. Those
// that have more read many inputs for every pixel that would have to be scaled.
constexpr std::int64_t kMostBytes = 64 * 1024;

// The convolution whose first stage is a scale and a shift by kernel; nullptr: it is not, or has
// too many weights.
ConvolutionForm* normalised(Step& step) {
  auto* form = std::get_if<ConvolutionForm>(&step.form);
  if (!form || step.chain.empty() || step.chain[0].stage != Stage::affine) return nullptr;
  const std::int64_t weights = form->kernels * form->columns();
  const bool few = weights * static_cast<std::int64_t>(sizeof(float)) <= kMostBytes;
  return few || form->depthwise() ? form : nullptr;
}

}  // namespace

void fold_normalisations(Plan& plan) {
  for (Step& step : plan.steps) {
    ConvolutionForm* const form = normalised(step);
    if (!form) continue;
    const ChainStage& affine = step.chain[0];
    const std::int64_t columns = form->columns();
    float* const weights =
        plan.packed.emplace_back(DType::f32, Shape{form->kernels, columns}).as<float>();
    float* const bias = plan.packed.emplace_back(DType::f32, Shape{form->kernels}).as<float>();
    for (std::int64_t k = 0; k < form->kernels; ++k) {
      const float scale = affine.data[k * affine.channel_stride];
      const float* const row = form->weights + k * columns;
      std::transform(row, row + columns, weights + k * columns,
                     [scale](float weight) { return weight * scale; });
      bias[k] = affine.data2[k * affine.channel_stride];
      if (form->bias) bias[k] = std::fma(form->bias[k], scale, bias[k]);
    }
    form->weights = weights;
    form->bias = bias;
    step.chain.erase(step.chain.begin());
  }
}

}  // namespace pdrt::plan
