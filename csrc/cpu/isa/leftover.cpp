#include "cpu/isa/leftover.h"

#include "cpu/isa/stages.h"
#include "planes/panels.h"

namespace pdrt::cpu::PDRT_ISA {

// Kernels at a time: enough sums in flight to hide the latency of a multiply-add, few enough for
// the registers.
static constexpr int rows_at_once(int pixels) {
#if PDRT_VECTOR_BYTES == 64 || defined(__aarch64__)
  return pixels == 1 ? 8 : 4;
#else
  return pixels == 1 ? 8 : pixels == 2 ? 4 : 2;
#endif
}

static int group_of(std::int64_t column) { return static_cast<int>(column / kLanes); }

// Columns [first, last] of the weights that input c of the list is multiplied by.
struct Columns {
  std::int64_t first, last;
  Columns(const Convolution& task, int c)
      : first(static_cast<std::int64_t>(task.channel[c]) * task.taps),
        last(first + task.taps - 1) {}
};

static bool is_complete(const Convolution& task) {
  return static_cast<std::int64_t>(task.channels) * task.taps == task.weights_row;
}

static int groups_of(const Convolution& task) {
  if (is_complete(task)) return group_of(task.weights_row + kLanes - 1);
  int groups = 0;
  int last = -1;
  for (int c = 0; c < task.channels; ++c) {
    const Columns columns(task, c);
    groups += group_of(columns.last) - larger_of(last, group_of(columns.first) - 1);
    last = group_of(columns.last);
  }
  return groups;
}

int Leftover::pixels_of(const Convolution& task) {
  const Plane& plane = *task.plane;
  const int used = (plane.height - 1) * plane.row + plane.width;
  const int pixels = used - (plane.flat - kLanes);
  if (pixels < 1 || pixels > kMost || task.channels == 0) return 0;
  if (task.in_panels) return task.kernel_count >= kLanes ? pixels : 0;
  const int groups = groups_of(task);
  if (groups > kColumns / kLanes || groups * kLanes * pixels > kFloats) return 0;
  // In multiply-adds of one vector, per kernel: every group's weights, which come from the
  // second-level cache again, and products; sums and stages; a share of the gathering.
  const std::int64_t columns = static_cast<std::int64_t>(task.channels) * task.taps;
  const int stages = task.epilogue.count + (task.lane_sums != nullptr ? 1 : 0);
  const std::int64_t cost =
      std::int64_t{groups} * kGroup * (2 * pixels + (is_complete(task) ? 1 : 2)) + 5 + 12 * stages +
      (2000 + 4 * columns * pixels) / task.kernel_count;
  return cost < columns * kGroup ? pixels : 0;
}

Leftover::Leftover(const Convolution& task, int pixels)
    : task_(task), pixels_(pixels), begin_(task.plane->flat - kLanes), masked_(!is_complete(task)) {
  if (task.in_panels) return;
  const int stride = groups_of(task) * kLanes;
  std::memset(x_, 0, static_cast<std::size_t>(stride) * pixels * sizeof(float));
  if (masked_) std::memset(mask_, 0, static_cast<std::size_t>(stride) * sizeof(std::uint32_t));
  if (task.taps == 1) {
    gather_one_tap(stride);
  } else {
    gather(stride);
  }
}

// Without questions whose answers follow no pattern.
void Leftover::gather_one_tap(int stride) {
  const std::int64_t pixel = begin_ + task_.offsets[0];
  int last = -1;
  for (int c = 0; c < task_.channels; ++c) {
    const int column = task_.channel[c], group = group_of(column);
    groups_ += group != last ? 1 : 0;
    last = group;
    start_[groups_ - 1] = group * kLanes;
    const int at = (groups_ - 1) * kLanes + column % kLanes;
    mask_[at] = ~0u;
    for (int p = 0; p < pixels_; ++p) x_[p * stride + at] = task_.inputs[c][pixel + p];
  }
}

void Leftover::gather(int stride) {
  const int taps = task_.taps;
  int last = -1;
  for (int c = 0; c < task_.channels; ++c) {
    const Columns columns(task_, c);
    for (int group = larger_of(last + 1, group_of(columns.first)); group <= group_of(columns.last);
         ++group) {
      start_[groups_++] = group * kLanes;
    }
    last = group_of(columns.last);
    // The groups of one input are neighbours, in the row as here.
    const int at =
        static_cast<int>(columns.last) - start_[groups_ - 1] + (groups_ - 1) * kLanes - (taps - 1);
    const float* input = task_.inputs[c] + begin_;
    for (int t = 0; t < taps; ++t) {
      for (int p = 0; p < pixels_; ++p) x_[p * stride + at + t] = input[task_.offsets[t] + p];
    }
    if (masked_) {
      for (int t = 0; t < taps; ++t) mask_[at + t] = ~0u;
    }
  }
}

// The stages of an epilogue on a few pixels of each kernel; the others of their group are none.
template <int kRows>
static void finish_rows(const Convolution& task, const std::int32_t* kernels, int begin,
                        const Quad (&sums)[kRows]) {
  Floats values[kRows][1];
  unrolled<kRows>([&](int r) PDRT_LAMBDA {
    const float bias = task.bias != nullptr ? task.bias[kernels[r]] : 0.0f;
    values[r][0] = widened(sums[r] + Quad{bias, bias, bias, bias});
  });
  run_stages(task.epilogue, Place{kernels, begin, PlaneOperands::pixels}, values);
  Words mask[1] = {~Words{}};
  if (task.plane->mask != nullptr) load_mask(task.plane->mask + begin, mask);
  unrolled<kRows>([&](int r) PDRT_LAMBDA {
    const int k = kernels[r];
    float* output = output_of(task, kernels + r) + begin;
    const Words seen = store_pixels(values[r], mask, output);
    unrolled<kGroup - 1>([&](int i) PDRT_LAMBDA { store(output + (i + 1) * kVector, Floats{}); });
    if (task.nonzero != nullptr && any_nonzero(seen)) mark(task.nonzero, k);
    if (task.lane_sums != nullptr)
      add_to_lanes(output, kLanes, task.lane_sums + std::int64_t{1} * k * kLanes);
  });
}

template <int kRows, int kPixels, bool kMasked>
void Leftover::compute_rows(const std::int32_t* kernels) const {
  const float* rows[kRows];
  for (int r = 0; r < kRows; ++r) rows[r] = task_.weights + kernels[r] * task_.weights_row;
  Floats sums[kRows][kPixels] = {};
  const auto add_group = [&](int group, const float* const(&weights)[kRows],
                             std::int64_t column) PDRT_LAMBDA {
    unrolled<kGroup>([&](int g) PDRT_LAMBDA {
      const int at = group * kLanes + g * kVector;
      Floats x[kPixels];
      unrolled<kPixels>([&](int p) PDRT_LAMBDA { x[p] = load(x_ + p * groups_ * kLanes + at); });
      unrolled<kRows>([&](int r) PDRT_LAMBDA {
        Floats weight = load(weights[r] + column + g * kVector);
        if constexpr (kMasked) weight = floats(bits(weight) & load(mask_ + at));
        unrolled<kPixels>([&](int p) PDRT_LAMBDA { sums[r][p] += weight * x[p]; });
      });
    });
  };
  // The last group may be short; behind its end lies someone else's memory.
  const bool short_end = start_[groups_ - 1] + kLanes > task_.weights_row;
  const int whole = groups_ - (short_end ? 1 : 0);
  for (int group = 0; group < whole; ++group) add_group(group, rows, start_[group]);
  if (short_end) {
    float ends[kRows][kLanes] = {};
    const float* short_rows[kRows];
    const std::size_t columns = static_cast<std::size_t>(task_.weights_row - start_[whole]);
    for (int r = 0; r < kRows; ++r) {
      std::memcpy(ends[r], rows[r] + start_[whole], columns * sizeof(float));
      short_rows[r] = ends[r];
    }
    add_group(whole, short_rows, 0);
  }

  Quad totals[kRows];
  if constexpr (kPixels == 1 && kRows % 4 == 0) {
    unrolled<kRows / 4>([&](int i) PDRT_LAMBDA {
      const int r = 4 * i;
      const Quad four = sums_of(sums[r][0], sums[r + 1][0], sums[r + 2][0], sums[r + 3][0]);
      unrolled<4>([&](int j) PDRT_LAMBDA { totals[r + j] = Quad{four[j], 0, 0, 0}; });
    });
  } else {
    unrolled<kRows>([&](int r) PDRT_LAMBDA {
      const auto of = [&](int p)
                          PDRT_LAMBDA { return p < kPixels ? sums[r][p % kPixels] : Floats{}; };
      totals[r] = sums_of(of(0), of(1), of(2), of(3));
    });
  }
  finish_rows(task_, kernels, begin_, totals);
}

template <int kPixels>
void Leftover::compute_in_panels(const std::int32_t* kernels, int count) const {
  constexpr int kChains = kPixels == 1 ? 4 : kPixels == 2 ? 2 : 1;  // sums in flight
  const std::int64_t at = begin_ + task_.offsets[0];
  for (int k = 0, rows; k < count; k += rows) {
    const int own = kernels[k] % kLanes;  // the first one's lane
    rows = smaller_of(kLanes - own, count - k);
    const float* const panel = task_.weights + panel_place(kernels[k], task_.weights_row) - own;
    Floats sums[kChains][kPixels][kGroup] = {};
    const auto add = [&](int chain, int c) PDRT_LAMBDA {
      const float* weights = panel + task_.channel[c] * kLanes;
      const float* pixels = task_.inputs[c] + at;
      unrolled<kGroup>([&](int g) PDRT_LAMBDA {
        const Floats weight = load(weights + g * kVector);
        unrolled<kPixels>([&](int p)
                              PDRT_LAMBDA { sums[chain][p][g] += weight * splat(pixels[p]); });
      });
    };
    int c = 0;
    for (; c + kChains <= task_.channels; c += kChains)
      unrolled<kChains>([&](int chain) PDRT_LAMBDA { add(chain, c + chain); });
    for (; c < task_.channels; ++c) add(0, c);

    float totals[kMost][kLanes] = {};
    unrolled<kPixels>([&](int p) PDRT_LAMBDA {
      unrolled<kGroup>([&](int g) PDRT_LAMBDA {
        Floats total = sums[0][p][g];
        unrolled<kChains - 1>([&](int chain) PDRT_LAMBDA { total += sums[chain + 1][p][g]; });
        store(totals[p] + g * kVector, total);
      });
    });
    const auto of = [&](int r) PDRT_LAMBDA {
      const int lane = own + r;
      return Quad{totals[0][lane], totals[1][lane], totals[2][lane], totals[3][lane]};
    };
    int r = 0;
    for (; r + kRows <= rows; r += kRows) {
      Quad quads[kRows];
      unrolled<kRows>([&](int i) PDRT_LAMBDA { quads[i] = of(r + i); });
      finish_rows(task_, kernels + k + r, begin_, quads);
    }
    for (; r < rows; ++r) {
      const Quad quads[1] = {of(r)};
      finish_rows(task_, kernels + k + r, begin_, quads);
    }
  }
}

template <int kPixels, bool kMasked>
void Leftover::compute_all(const std::int32_t* kernels, int count) const {
  constexpr int kRows = rows_at_once(kPixels);
  int k = 0;
  for (; k + kRows <= count; k += kRows) compute_rows<kRows, kPixels, kMasked>(kernels + k);
  for (; k < count; ++k) compute_rows<1, kPixels, kMasked>(kernels + k);
}

void Leftover::compute(const std::int32_t* kernels, int count) const {
  using Compute = void (Leftover::*)(const std::int32_t* kernels, int count) const;
  constexpr Compute kAll[2][kMost] = {
      {&Leftover::compute_all<1, false>, &Leftover::compute_all<2, false>,
       &Leftover::compute_all<3, false>, &Leftover::compute_all<4, false>},
      {&Leftover::compute_all<1, true>, &Leftover::compute_all<2, true>,
       &Leftover::compute_all<3, true>, &Leftover::compute_all<4, true>}};
  constexpr Compute kInPanels[kMost] = {
      &Leftover::compute_in_panels<1>, &Leftover::compute_in_panels<2>,
      &Leftover::compute_in_panels<3>, &Leftover::compute_in_panels<4>};
  (this->*(task_.in_panels ? kInPanels : kAll[masked_])[pixels_ - 1])(kernels, count);
}

}  // namespace pdrt::cpu::PDRT_ISA
