// What one core could do at best, to compare measurements with.
#pragma once

#include "cpu/engine.h"

namespace pdrt::cpu {

// GFLOP/s of one core of this machine doing nothing but multiply-adds (two operations each) on this
// engine's vectors. Takes about 20 ms; the fastest of several short bursts, so that other load on
// the machine matters little.
double measured_fma_peak(const Engine& engine);

}  // namespace pdrt::cpu
