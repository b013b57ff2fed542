// Pools with the usual square windows: vectors of a row are combined down the window as they were
// loaded, and only then taken apart into columns.
#include "cpu/isa/ask.h"
#include "cpu/isa/pooling.h"
#include "cpu/isa/rows.h"

namespace pdrt::cpu::PDRT_ISA {

// How floats become one. Where a maximum that keeps NaN takes several instructions, that of numbers
// takes one, and what it reads is watched: if a NaN was among it, the rows are done again.
enum class Reduction { sum, maximum, maximum_of_numbers };

#if defined(__SSE2__)
constexpr Reduction kFirstMaximum = Reduction::maximum_of_numbers;
#else
constexpr Reduction kFirstMaximum = Reduction::maximum;
#endif

template <Reduction kReduction>
PDRT_INLINE Floats reduced(Floats x, Floats y) {
  if constexpr (kReduction == Reduction::maximum_of_numbers) return at_least(x, y);
  return combine<kReduction == Reduction::maximum>(x, y);
}

// A sum that is NaN if a float in it was, or now and then otherwise.
class Watch {
 public:
  inline __attribute__((always_inline)) void see(int i, Floats x) { sums_[i % kChains] += x; }
  inline __attribute__((always_inline)) bool nan() const {
    const Floats sum = sums_[0] + sums_[1];
    return any(sum != sum);
  }

 private:
  static constexpr int kChains = 2;
  Floats sums_[kChains] = {};
};

// The columns of kTaps taps from column `first` on, each combined over the kFilter rows of the
// window of kRows rows of outputs; the first of those windows begins at row `top`.
template <Reduction kReduction, int kFilter, int kTaps, int kStride, bool kEdge, int kRows>
PDRT_INLINE void combine_loads(const float* in, const Plane& plane, int top, int first,
                               Floats (&taps)[kRows][kTaps], Watch& watch) {
  using Taps = Columns<kTaps, kStride>;
  const Taps columns(first, plane.width);
  const int before = -top, behind = plane.height - top;
  const float* rows = in + static_cast<std::int64_t>(top) * plane.row;
  const Floats neutral = splat(kNeutral<kReduction != Reduction::sum>);
  Floats down[kRows][Taps::kLoads];
  unrolled<kRows>([&](int y) PDRT_LAMBDA {
    unrolled<Taps::kLoads>([&](int i) PDRT_LAMBDA { down[y][i] = neutral; });
  });
  unrolled<(kRows - 1) * kStride + kFilter>([&](int row) PDRT_LAMBDA {
    if (__builtin_expect(row < before || row >= behind, 0)) return;
    Floats loads[Taps::kLoads];
    columns.template read<kEdge>(rows + static_cast<std::int64_t>(row) * plane.row, neutral, loads);
    if constexpr (kReduction == Reduction::maximum_of_numbers)
      unrolled<Taps::kLoads>([&](int i) PDRT_LAMBDA { watch.see(i, loads[i]); });
    unrolled<kRows>([&](int y) PDRT_LAMBDA {
      if (row < y * kStride || row >= y * kStride + kFilter) return;
      unrolled<Taps::kLoads>(
          [&](int i) PDRT_LAMBDA { down[y][i] = reduced<kReduction>(down[y][i], loads[i]); });
    });
  });
  unrolled<kRows>([&](int y) PDRT_LAMBDA { columns.take(down[y], taps[y]); });
}

// The same, with a look at the lanes only where it is needed.
template <Reduction kReduction, int kFilter, int kTaps, int kStride, int kRows>
PDRT_INLINE void combine_down(const float* in, const Plane& plane, int top, int first,
                              Floats (&taps)[kRows][kTaps], Watch& watch) {
  if (Columns<kTaps, kStride>::inside(first, plane.width)) {
    combine_loads<kReduction, kFilter, kTaps, kStride, false>(in, plane, top, first, taps, watch);
  } else {
    combine_loads<kReduction, kFilter, kTaps, kStride, true>(in, plane, top, first, taps, watch);
  }
}

// kRows rows of outputs from row y on. Returns whether they have to be done again, keeping NaN.
template <Reduction kReduction, int kFilter, int kStride, int kRows>
static bool pool_block_row(const Pool& task, const float* in, const Plane& in_plane, float* out,
                           const Plane& out_plane, int y) {
  const int top = y * kStride - task.pad_top;
  Floats results[kRows];
  Watch watch;
  if constexpr (kFilter == 3 && kStride == 2) {
    // The third column of a window is the first of the next one: of the next vector, for the last.
    Floats taps[kRows][2];
    Floats next[kRows][2];
    combine_down<kReduction, 3, 2, 2>(in, in_plane, top, -task.pad_left, next, watch);
    for (int x = 0; x < out_plane.width; x += kVector) {
      unrolled<kRows>([&](int row) PDRT_LAMBDA {
        taps[row][0] = next[row][0];
        taps[row][1] = next[row][1];
      });
      if (x + kVector <= out_plane.width) {
        const int first = (x + kVector) * 2 - task.pad_left;
        combine_down<kReduction, 3, 2, 2>(in, in_plane, top, first, next, watch);
      }
      unrolled<kRows>([&](int row) PDRT_LAMBDA {
        results[row] = reduced<kReduction>(reduced<kReduction>(taps[row][0], taps[row][1]),
                                           shifted(taps[row][0], next[row][0]));
      });
      store_rows(results, out, out_plane, y, x);
    }
  } else {
    for (int x = 0; x < out_plane.width; x += kVector) {
      Floats taps[kRows][kFilter];
      const int first = x * kStride - task.pad_left;
      combine_down<kReduction, kFilter, kFilter, kStride>(in, in_plane, top, first, taps, watch);
      unrolled<kRows>([&](int row) PDRT_LAMBDA {
        results[row] = taps[row][0];
        unrolled<kFilter - 1>([&](int t) PDRT_LAMBDA {
          results[row] = reduced<kReduction>(results[row], taps[row][t + 1]);
        });
      });
      store_rows(results, out, out_plane, y, x);
    }
  }
  return kReduction == Reduction::maximum_of_numbers && watch.nan();
}

template <bool kMaximum, int kFilter, int kStride, int kRows>
static void pool_block_rows(const Pool& task, const float* in, const Plane& in_plane, float* out,
                            const Plane& out_plane, int y) {
  constexpr Reduction kFirst = kMaximum ? kFirstMaximum : Reduction::sum;
  if (pool_block_row<kFirst, kFilter, kStride, kRows>(task, in, in_plane, out, out_plane, y))
    pool_block_row<Reduction::maximum, kFilter, kStride, kRows>(task, in, in_plane, out, out_plane,
                                                                y);
}

// Rows that are read while others are pooled; behind the last ones those of the next plane lie.
// Always inlined, see next_tile.h.
static inline __attribute__((always_inline)) void ask_for(const float* rows, int floats) {
  for (int i = 0; i < floats; i += kLanes) Fetch<Cache::second_level>()(rows + i);
}

template <bool kMaximum, int kFilter, int kStride>
static void pool_all(const Pool& task, const float* in, const Plane& in_plane, float* out,
                     const Plane& out_plane) {
  constexpr int kRows = 4;
  // Zen 5 has windows of three rows sooner without being asked, and those of two with.
  const bool asks = cache_to_ask() == Cache::second_level || kFilter == 2;
  const int block = kRows * kStride * in_plane.row;
  int y = 0;
  for (; y + kRows <= out_plane.height; y += kRows) {
    if (asks) ask_for(in + std::int64_t{y / kRows + 1} * block, block);
    pool_block_rows<kMaximum, kFilter, kStride, kRows>(task, in, in_plane, out, out_plane, y);
  }
  for (; y < out_plane.height; ++y) {
    pool_block_rows<kMaximum, kFilter, kStride, 1>(task, in, in_plane, out, out_plane, y);
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
