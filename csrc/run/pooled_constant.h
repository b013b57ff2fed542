// What pooling makes of planes that are constant.
#pragma once

#include "planes/planes.h"

namespace pdrt::run {

// Averages that count padding see the zeros around a constant plane; only zero itself stays
// constant then.
inline bool stays_constant(const Pool& pool, float x) {
  return pool.maximum || !pool.count_include_pad || x == 0.0f;
}

}  // namespace pdrt::run
