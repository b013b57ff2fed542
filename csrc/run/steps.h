// What runs the steps of a plan, one function per form. Each handles all samples and leaves the
// channel states of its output behind.
#pragma once

#include "run/frame.h"

namespace pdrt::run {

void run_convolution(const Frame& frame, std::size_t step);
void run_depthwise(const Frame& frame, std::size_t step);
void run_fully_connected(const Frame& frame, std::size_t step);
void run_pool(const Frame& frame, std::size_t step);
void run_global_pool(const Frame& frame, std::size_t step);
void run_elementwise(const Frame& frame, std::size_t step);
void run_concat(const Frame& frame, std::size_t step);
void run_reference(const Frame& frame, std::size_t step);

}  // namespace pdrt::run
