// What the pool behind a convolution makes of its planes, rows by rows, while these are in a near
// cache.
#pragma once

#include "run/ways.h"

namespace pdrt::run {

class PooledRows {
 public:
  PooledRows(const Frame& frame, const Group& group);

  // Whether that is how the plan has it.
  bool wanted() const { return form_ != nullptr; }
  // Rows [top, bottom) of the kernel's plane, the first of which begins at `rows`.
  void pool(int kernel, const float* rows, int top, int bottom) const;

 private:
  const Frame& frame_;
  const plan::PoolForm* form_ = nullptr;
  const Plane* in_ = nullptr;
  const Plane* out_ = nullptr;
  float* planes_ = nullptr;  // of the pool
};

}  // namespace pdrt::run
