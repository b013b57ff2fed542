// Where the windows of convolutions and pools lie: padding, stride, dilation and the output's size,
// for one or two spatial dimensions. One dimension is a case of two with height 1.
#pragma once

#include <cstdint>

#include "pdrt/attributes.h"
#include "pdrt/tensor.h"

namespace pdrt::reference {

// Taps [first, last) of a window.
struct Taps {
  std::int64_t first = 0;
  std::int64_t last = 0;
};

// The windows along one dimension. Tap t of window o lies on input position o * stride - pad_begin
// + t * dilation.
struct WindowAxis {
  std::int64_t input = 1;
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t dilation = 1;
  std::int64_t pad_begin = 0;
  std::int64_t pad_end = 0;
  std::int64_t output = 1;

  std::int64_t start(std::int64_t window) const { return window * stride - pad_begin; }
  // The taps of a window that lie on the input; and on the input or its padding (a last window may
  // reach past both).
  Taps inside(std::int64_t window) const { return within(window, 0, input); }
  Taps inside_padded(std::int64_t window) const {
    return within(window, -pad_begin, input + pad_end);
  }
  // The windows whose tap lies on the input.
  Taps windows_of(std::int64_t tap) const;

 private:
  Taps within(std::int64_t window, std::int64_t begin, std::int64_t end) const;
};

struct Window {
  WindowAxis height;
  WindowAxis width;
};

enum class WindowUse { convolution, pool };

// `input` is N x C x (H x) W and `kernel` has its one or two spatial lengths; strides, dilations,
// pads, auto_pad and (pools) ceil_mode come from the attributes. Throws ModelError naming the
// attribute that is wrong.
Window window_of(const Attributes& attributes, const Shape& input, const Shape& kernel,
                 WindowUse use);
// N x channels x (H x) W of the output, of as many dimensions as `input`.
Shape output_shape(const Window& window, const Shape& input, std::int64_t channels);

}  // namespace pdrt::reference
