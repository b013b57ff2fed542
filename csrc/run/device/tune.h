// Measures the ways to compute a model's convolutions on a device.
#pragma once

#include <functional>
#include <vector>

#include "pdrt/session.h"

namespace pdrt::run::device {

// As pdrt::tune, for options.device on OpenCL. Everything on; kept in options.cache_dir.
std::vector<TunedLayer> tune(const Model& model, const Options& options,
                             const std::vector<Shape>& shapes,
                             const std::function<void(int done, int total)>& progress);

}  // namespace pdrt::run::device
