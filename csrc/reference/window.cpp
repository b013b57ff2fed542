#include "reference/window.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "reference/checks.h"

namespace pdrt::reference {
namespace {

constexpr std::int64_t kLargest = std::numeric_limits<std::int32_t>::max();

std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// The list attribute with `count` entries, each at least `least`; an empty list is `count` times
// `fallback`.
std::vector<std::int64_t> list_of(const Attributes& attributes, const char* name, std::size_t count,
                                  std::int64_t least, std::int64_t fallback) {
  const std::vector<std::int64_t>& values = attributes.integers(name);
  if (values.empty()) return std::vector<std::int64_t>(count, fallback);
  const std::string what = "attribute '" + std::string(name) + "' ";
  if (values.size() != count) {
    refuse(what + "has " + std::to_string(values.size()) + " values, expected " +
           std::to_string(count));
  }
  for (const std::int64_t value : values) {
    if (value < least || value > kLargest) {
      refuse(what + "holds " + std::to_string(value) + ", expected at least " +
             std::to_string(least) + " and at most 2^31-1");
    }
  }
  return values;
}

// Sets pads (for SAME_*) and the output's length.
void place(WindowAxis& axis, const std::string& auto_pad, WindowUse use, bool ceil) {
  const std::int64_t reach = (axis.kernel - 1) * axis.dilation + 1;
  if (auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER") {
    axis.output = divide_up(axis.input, axis.stride);
    const std::int64_t total =
        std::max<std::int64_t>(0, (axis.output - 1) * axis.stride + reach - axis.input);
    axis.pad_begin = auto_pad == "SAME_UPPER" ? total / 2 : total - total / 2;
    axis.pad_end = total - axis.pad_begin;
    return;
  }
  const std::int64_t padded = axis.input + axis.pad_begin + axis.pad_end;
  if (padded < reach) {
    refuse("a window of " + std::to_string(reach) + " does not fit an input of " +
           std::to_string(axis.input) + " padded to " + std::to_string(padded));
  }
  if (use == WindowUse::pool && std::max(axis.pad_begin, axis.pad_end) >= reach) {
    refuse("attribute 'pads' holds " + std::to_string(std::max(axis.pad_begin, axis.pad_end)) +
           ", so a window of " + std::to_string(reach) + " would lie in the padding alone");
  }
  const std::int64_t room = padded - reach;
  axis.output = (ceil ? divide_up(room, axis.stride) : room / axis.stride) + 1;
  // A last window that would start in the end padding is dropped.
  if (ceil && (axis.output - 1) * axis.stride >= axis.input + axis.pad_begin) --axis.output;
}

}  // namespace

Taps WindowAxis::within(std::int64_t window, std::int64_t begin, std::int64_t end) const {
  const std::int64_t at = start(window);
  Taps taps;
  if (at < begin) taps.first = std::min(divide_up(begin - at, dilation), kernel);
  if (at < end) taps.last = std::min(divide_up(end - at, dilation), kernel);
  taps.last = std::max(taps.first, taps.last);
  return taps;
}

Taps WindowAxis::windows_of(std::int64_t tap) const {
  const std::int64_t at = tap * dilation - pad_begin;
  Taps windows;
  if (at < 0) windows.first = std::min(divide_up(-at, stride), output);
  if (at < input) windows.last = std::min(divide_up(input - at, stride), output);
  windows.last = std::max(windows.first, windows.last);
  return windows;
}

Window window_of(const Attributes& attributes, const Shape& input, const Shape& kernel,
                 WindowUse use) {
  const std::size_t spatial = input.size() - 2;
  const std::string& auto_pad =
      one_of(attributes, "auto_pad", {"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"});
  const bool ceil = use == WindowUse::pool && attributes.integer("ceil_mode") != 0;
  if (kernel.size() != spatial) {
    refuse("the window has " + std::to_string(kernel.size()) + " dimensions, the input " +
           to_string(input) + " has " + std::to_string(spatial));
  }
  for (const std::int64_t length : kernel) {
    if (length < 1 || length > kLargest) {
      refuse("a window of " + to_string(kernel) + " is empty or too large");
    }
  }
  const auto strides = list_of(attributes, "strides", spatial, 1, 1);
  const auto dilations = list_of(attributes, "dilations", spatial, 1, 1);
  const auto pads = list_of(attributes, "pads", 2 * spatial, 0, 0);

  Window window;
  for (std::size_t d = 0; d < spatial; ++d) {
    WindowAxis& axis = d + 1 == spatial ? window.width : window.height;
    axis.input = input[2 + d];
    axis.kernel = kernel[d];
    axis.stride = strides[d];
    axis.dilation = dilations[d];
    if (auto_pad == "NOTSET") {
      axis.pad_begin = pads[d];
      axis.pad_end = pads[spatial + d];
    }
    if (axis.input < 1) refuse("the input " + to_string(input) + " has no pixels");
    place(axis, auto_pad, use, ceil);
  }
  return window;
}

Shape output_shape(const Window& window, const Shape& input, std::int64_t channels) {
  Shape shape{input[0], channels};
  if (input.size() == 4) shape.push_back(window.height.output);
  shape.push_back(window.width.output);
  return shape;
}

}  // namespace pdrt::reference
