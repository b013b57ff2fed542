#include "plan/taps.h"

#include <algorithm>

namespace pdrt::plan {
namespace {

// Filter position i along one axis reads input pixel o * stride + t, t = i * dilation - pad, for
// output pixel o. With t = shift * stride + phase that is pixel (o + shift) of the phase.
struct Axis {
  int filter, stride, dilation, pad, in, out;

  int tap(int i) const { return i * dilation - pad; }
  int shift(int i) const {
    const int t = tap(i);
    return t >= 0 ? t / stride : -((-t + stride - 1) / stride);
  }
  int phase(int i) const { return tap(i) - shift(i) * stride; }
  int first() const {
    return std::min(0, shift(0));
  }  // least column or row read, and written in a phase
  int end() const { return out + std::max(0, shift(filter - 1)); }  // one past the last
  // One past the last column of any phase that holds input and is used.
  int data_end() const { return std::min(end(), (in + stride - 1) / stride); }
};

Axis rows(const ConvolutionForm& f) {
  return {f.filter_h, f.stride_h, f.dilation_h, f.pad_top, f.in_h, f.out_h};
}
Axis columns(const ConvolutionForm& f) {
  return {f.filter_w, f.stride_w, f.dilation_w, f.pad_left, f.in_w, f.out_w};
}

std::int32_t round_up(std::int32_t x) { return (x + kLanes - 1) / kLanes * kLanes; }

}  // namespace

bool reads_directly(const ConvolutionForm& form) {
  return form.stride_h == 1 && form.stride_w == 1 && form.in_h == form.out_h &&
         form.in_w == form.out_w;
}

std::int32_t least_row(const ConvolutionForm& form) {
  const Axis x = columns(form);
  // Columns left of zero are the previous row's last ones, which must be zeros; columns right of
  // the row are the next row's first ones, which are pixels, so there must be none.
  return std::max(x.end(), x.data_end() - x.first());
}

Reach reach_of(const ConvolutionForm& form, std::int32_t row) {
  const Axis y = rows(form), x = columns(form);
  Reach reach;
  reach.before = std::max(0, -(y.first() * row + x.first()));
  reach.behind = std::max(0, (y.end() - y.out) * row + (x.end() - x.out));
  return reach;
}

Taps place_taps(const ConvolutionForm& form, const Plane& output) {
  const Axis y = rows(form), x = columns(form);
  const Reach reach = reach_of(form, output.row);
  Taps taps;
  taps.direct = reads_directly(form);
  Phases& phases = taps.phases;
  phases.stride_h = form.stride_h;
  phases.stride_w = form.stride_w;
  phases.row0 = y.first();
  phases.row1 = y.end();
  phases.col0 = x.first();
  phases.col1 = x.end();
  phases.row = output.row;
  phases.lead = round_up(reach.before);
  phases.phase_stride = phases.lead + round_up(output.flat + reach.behind);
  if (phases.phase_stride % 1024 == 0) phases.phase_stride += kLanes;
  for (int i = 0; i < form.filter_h; ++i) {
    for (int j = 0; j < form.filter_w; ++j) {
      const std::int32_t phase = y.phase(i) * form.stride_w + x.phase(j);
      auto at = std::find(taps.phase_list.begin(), taps.phase_list.end(), phase);
      if (at == taps.phase_list.end()) at = taps.phase_list.insert(taps.phase_list.end(), phase);
      const auto index = static_cast<std::int32_t>(at - taps.phase_list.begin());
      const std::int64_t phase_at = taps.direct ? 0 : std::int64_t{index} * phases.phase_stride;
      taps.offsets.push_back(
          static_cast<std::int32_t>(phase_at + y.shift(i) * output.row + x.shift(j)));
    }
  }
  phases.phase_count = static_cast<int>(taps.phase_list.size());
  return taps;
}

}  // namespace pdrt::plan
