// Weights in another form than they came in, made when a plan is.
#pragma once

#include <map>
#include <utility>

#include "pdrt/tensor.h"

namespace pdrt::run {

// Lives no longer than the originals: a session's for the model's weights, which all plans share, a
// plan's for those that it has itself.
class PackedWeights {
 public:
  // Form number `form` of the weights at `original`, made by `make` (a Tensor) where there is none
  // yet.
  template <typename Make>
  const float* get(const float* original, int form, const Make& make) {
    const auto key = std::make_pair(original, form);
    auto at = tensors_.find(key);
    if (at == tensors_.end()) at = tensors_.emplace(key, make()).first;
    return at->second.template as<float>();
  }

  std::size_t bytes() const {
    std::size_t total = 0;
    for (const auto& [key, tensor] : tensors_) total += tensor.bytes();
    return total;
  }

 private:
  std::map<std::pair<const float*, int>, Tensor> tensors_;
};

}  // namespace pdrt::run
