// Pools with the usual square windows: vectors of a row are combined down the window as they were
// loaded, and only then taken apart into columns.
#include "cpu/isa/pooling.h"
#include "cpu/isa/rows.h"

namespace pdrt::cpu::PDRT_ISA {

// kRows rows of outputs from row y on, one vector of columns from x on.
template <bool kMaximum, int kFilter, int kStride, bool kEdge, int kRows>
PDRT_INLINE void pool_block(const Pool& task, const float* in, const Plane& in_plane, float* out,
                            const Plane& out_plane, int at_y, int x) {
  using Taps = Columns<kFilter, kStride>;
  const Taps columns(x * kStride - task.pad_left, in_plane.width);
  const int top = at_y * kStride - task.pad_top;
  const float* rows = in + static_cast<std::int64_t>(top) * in_plane.row;
  const Floats neutral = splat(kNeutral<kMaximum>);
  Floats down[kRows][Taps::kLoads];
  unrolled<kRows>([&](int y) PDRT_LAMBDA {
    unrolled<Taps::kLoads>([&](int i) PDRT_LAMBDA { down[y][i] = neutral; });
  });
  unrolled<(kRows - 1) * kStride + kFilter>([&](int row) PDRT_LAMBDA {
    if (top + row < 0 || top + row >= in_plane.height) return;
    Floats loads[Taps::kLoads];
    columns.template read<kEdge>(rows + static_cast<std::int64_t>(row) * in_plane.row, neutral,
                                 loads);
    unrolled<kRows>([&](int y) PDRT_LAMBDA {
      if (row < y * kStride || row >= y * kStride + kFilter) return;
      unrolled<Taps::kLoads>(
          [&](int i) PDRT_LAMBDA { down[y][i] = combine<kMaximum>(down[y][i], loads[i]); });
    });
  });
  Floats results[kRows];
  unrolled<kRows>([&](int y) PDRT_LAMBDA {
    Floats taps[kFilter];
    columns.take(down[y], taps);
    results[y] = taps[0];
    unrolled<kFilter - 1>(
        [&](int t) PDRT_LAMBDA { results[y] = combine<kMaximum>(results[y], taps[t + 1]); });
  });
  store_rows(results, out, out_plane, at_y, x);
}

template <bool kMaximum, int kFilter, int kStride, int kRows>
static void pool_block_row(const Pool& task, const float* in, const Plane& in_plane, float* out,
                           const Plane& out_plane, int y) {
  for (int x = 0; x < out_plane.width; x += kVector) {
    const int first = x * kStride - task.pad_left;
    if (Columns<kFilter, kStride>::inside(first, in_plane.width)) {
      pool_block<kMaximum, kFilter, kStride, false, kRows>(task, in, in_plane, out, out_plane, y,
                                                           x);
    } else {
      pool_block<kMaximum, kFilter, kStride, true, kRows>(task, in, in_plane, out, out_plane, y, x);
    }
  }
}

template <bool kMaximum, int kFilter, int kStride>
static void pool_all(const Pool& task, const float* in, const Plane& in_plane, float* out,
                     const Plane& out_plane) {
  constexpr int kRows = 4;
  int y = 0;
  for (; y + kRows <= out_plane.height; y += kRows) {
    pool_block_row<kMaximum, kFilter, kStride, kRows>(task, in, in_plane, out, out_plane, y);
  }
  for (; y < out_plane.height; ++y) {
    pool_block_row<kMaximum, kFilter, kStride, 1>(task, in, in_plane, out, out_plane, y);
  }
  clear_gap(out, out_plane);
}

template <bool kMaximum>
static bool pool_usual(const Pool& task, const float* in, const Plane& in_plane, float* out,
                       const Plane& out_plane) {
  const auto is = [&task](int filter, int stride) {
    return task.kernel_h == filter && task.kernel_w == filter && task.stride_h == stride &&
           task.stride_w == stride && task.dilation_h == 1 && task.dilation_w == 1;
  };
  if (is(2, 2)) return pool_all<kMaximum, 2, 2>(task, in, in_plane, out, out_plane), true;
  if (is(3, 2)) return pool_all<kMaximum, 3, 2>(task, in, in_plane, out, out_plane), true;
  if (is(2, 1)) return pool_all<kMaximum, 2, 1>(task, in, in_plane, out, out_plane), true;
  if (is(3, 1)) return pool_all<kMaximum, 3, 1>(task, in, in_plane, out, out_plane), true;
  return false;
}

bool pool_rows(const Pool& task, const float* in, const Plane& in_plane, float* out,
               const Plane& out_plane) noexcept {
  return task.maximum ? pool_usual<true>(task, in, in_plane, out, out_plane)
                      : pool_usual<false>(task, in, in_plane, out, out_plane);
}

}  // namespace pdrt::cpu::PDRT_ISA
