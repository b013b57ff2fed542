// Whether a convolution multiplies halves, and if not, why.
#pragma once

#include <string>

#include "run/device/builder.h"

namespace pdrt::run::device {

struct HalfProducts {
  bool used = false;
  std::string refused;  // why not, where the session asked for it; else empty
};

// `tile`: of Winograd's algorithm, or 0.
HalfProducts half_products(const Builder& builder, const plan::ConvolutionForm& form, int tile);

}  // namespace pdrt::run::device
