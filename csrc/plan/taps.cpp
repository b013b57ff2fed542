#include "plan/taps.h"

#include <algorithm>

#include "plan/geometry.h"

namespace pdrt::plan {
namespace {

// Filter position i along one axis reads input pixel o * stride + t, t = i * dilation - pad, for
// output pixel o. With t = shift * stride + phase that is pixel (o + shift) of the phase. The phase
// is the remainder of t, so that positions share phases; `apart`, it is t itself.
struct Axis {
  int filter, stride, dilation, pad, in, out;
  bool apart = false;

  int tap(int i) const { return i * dilation - pad; }
  int shift(int i) const {
    if (apart) return 0;
    const int t = tap(i);
    return t >= 0 ? t / stride : -((-t + stride - 1) / stride);
  }
  int phase(int i) const { return tap(i) - shift(i) * stride; }
  int first() const {
    return std::min(0, shift(0));
  }  // least column or row read, and written in a phase
  int end() const { return out + std::max(0, shift(filter - 1)); }  // one past the last
  // The part of phase p, [begin, end), that lies inside the input and is used.
  int data_begin(int p) const { return std::max(first(), rounded_up(-p)); }
  int data_end(int p) const { return std::min(end(), rounded_up(in - p)); }

 private:
  // x / stride
  int rounded_up(int x) const { return x > 0 ? (x + stride - 1) / stride : -(-x / stride); }
};

Axis rows(const ConvolutionForm& f) {
  return {f.filter_h, f.stride_h, f.dilation_h, f.pad_top, f.in_h, f.out_h};
}
Axis columns(const ConvolutionForm& f) {
  return {f.filter_w, f.stride_w, f.dilation_w, f.pad_left, f.in_w, f.out_w};
}
Axis columns_apart(const ConvolutionForm& f) {
  Axis axis = columns(f);
  axis.apart = true;
  return axis;
}

Reach reach(const Axis& y, const Axis& x, std::int32_t row) {
  Reach reach;
  reach.before = std::max(0, -(y.first() * row + x.first()));
  reach.behind = std::max(0, (y.end() - y.out) * row + (x.end() - x.out));
  return reach;
}

}  // namespace

std::int32_t least_row(const ConvolutionForm& form) {
  const Axis x = columns(form);
  // Columns left of zero are the previous row's last ones, which must be zeros; columns right of
  // the row are the next row's first ones, which are pixels, so there must be none.
  return std::max(x.end(), x.data_end(0) - x.first());
}

bool reads_directly(const ConvolutionForm& form, std::int32_t row) {
  return form.stride_h == 1 && form.stride_w == 1 && form.in_h == form.out_h &&
         form.in_w == form.out_w && row >= least_row(form);
}

Reach reach_of(const ConvolutionForm& form, std::int32_t row) {
  return reach(rows(form), columns(form), row);
}

Taps place_taps(const ConvolutionForm& form, std::int32_t row, std::int32_t flat) {
  const Axis y = rows(form), x = row < least_row(form) ? columns_apart(form) : columns(form);
  const Reach around = reach(y, x, row);
  Taps taps;
  taps.direct = reads_directly(form, row);
  Phases& phases = taps.phases;
  phases.stride_h = form.stride_h;
  phases.stride_w = form.stride_w;
  phases.row = row;
  phases.lead = around.before;
  phases.phase_stride = stride_for(phases.lead + flat + around.behind);
  for (int i = 0; i < form.filter_h; ++i) {
    for (int j = 0; j < form.filter_w; ++j) {
      const int top = y.phase(i), left = x.phase(j);
      const auto at =
          std::find_if(taps.phase_list.begin(), taps.phase_list.end(),
                       [&](const Phase& p) { return p.row == top && p.column == left; });
      const auto index = static_cast<std::int32_t>(at - taps.phase_list.begin());
      if (at == taps.phase_list.end()) {
        taps.phase_list.push_back(
            {top, left, y.data_begin(top), y.data_end(top), x.data_begin(left), x.data_end(left)});
      }
      const std::int64_t phase_at = taps.direct ? 0 : std::int64_t{index} * phases.phase_stride;
      taps.offsets.push_back(static_cast<std::int32_t>(phase_at + y.shift(i) * row + x.shift(j)));
    }
  }
  phases.phase_count = static_cast<int>(taps.phase_list.size());
  return taps;
}

}  // namespace pdrt::plan
