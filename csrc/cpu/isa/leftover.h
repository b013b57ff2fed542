// The pixels that are left past whole groups of lanes.
#pragma once

#include "cpu/isa/functions.h"

namespace pdrt::cpu::PDRT_ISA {

// A map of 7x7 without gaps is three vectors of sixteen pixels and one pixel more: as a vector of
// its own that pixel would cost a third of all the others. A few pixels are computed the other way
// round instead, with lanes along the inputs: their inputs are gathered once, in the order of the
// weights, and every kernel is a few dot products with its row.
//
// Weights are read in groups of kLanes columns. Those of inputs that are off may be anything, so in
// an incomplete list their lanes are masked out, and groups without an active lane are not read.
class Leftover {
 public:
  static constexpr int kMost = 4;  // pixels
  static constexpr int kRows = 8;  // how many kernels are best computed at a time, or a multiple

  // How many pixels of the last group of the task are computed like this: all or none. Depends on
  // the task alone, so that every piece of it decides alike.
  static int pixels_of(const Convolution& task);

  Leftover(const Convolution& task, int pixels);

  // The last group of pixels of kernels[0 ... count - 1].
  void compute(const std::int32_t* kernels, int count) const;

 private:
  static constexpr int kFloats = 20480;  // gathered: columns * pixels
  static constexpr int kColumns = 8192;

  const Convolution& task_;
  int pixels_;
  int begin_;       // of the last group
  int groups_ = 0;  // of columns
  bool masked_;
  std::int32_t start_[kColumns / kLanes];  // column of the first lane
  alignas(64) std::uint32_t mask_[kColumns];
  alignas(64) float x_[kFloats];  // [pixel][groups_ * kLanes]

  // Inputs' pixels, in the order of the weights, `stride` columns of each pixel.
  void gather_one_tap(int stride);
  void gather(int stride);

  // Weights in panels: lanes along the kernels, nothing to gather.
  template <int kPixels>
  void compute_in_panels(const std::int32_t* kernels, int count) const;
  template <int kPixels, bool kMasked>
  void compute_all(const std::int32_t* kernels, int count) const;
  template <int kRows, int kPixels, bool kMasked>
  void compute_rows(const std::int32_t* kernels) const;
};

}  // namespace pdrt::cpu::PDRT_ISA
