// Fully connected layers: lanes run along the inputs, so that every weight is read once, in order.
#include "cpu/isa/ask.h"
#include "cpu/isa/functions.h"
#include "cpu/isa/lanes.h"
#include "cpu/isa/number_ends.h"

namespace pdrt::cpu::PDRT_ISA {

// A row's sum is kept in kChains groups of lanes, block b of the list in group b % kChains,
// whatever rows are computed beside it: so the result does not depend on how the rows are divided
// among threads.
constexpr int kChains = kGroup == 1 ? 2 : 1;
constexpr int kRowsAtOnce = 8 / (kChains * kGroup);  // eight sums in flight

// The lanes of the sums of kRows rows. What lies `further` floats behind them is asked for
// meanwhile, if that is not 0.
template <int kRows, bool kMasked>
static void dot_rows(const FullyConnected& task, const std::int32_t* kernels, std::int64_t further,
                     Floats* totals) {
  const float* rows[kRows];
  for (int r = 0; r < kRows; ++r) {
    rows[r] = task.weights + static_cast<std::int64_t>(kernels[r]) * task.columns;
  }
  Floats sums[kRows][kChains][kGroup] = {};
  // read(from): kVector floats, fewer in a short block.
  const auto add_block = [&](int chain, std::int64_t at, const auto& read) PDRT_LAMBDA {
    for (int g = 0; g < kGroup; ++g) {
      const std::int64_t column = at + g * kVector;
      const Floats input = read(task.input, column);
      for (int r = 0; r < kRows; ++r) {
        Floats weight = read(rows[r], column);
        if constexpr (kMasked) weight = floats(bits(weight) & load(task.mask + column));
        sums[r][chain][g] += input * weight;
      }
    }
  };
  const auto read_whole = [](const float* row, std::int64_t column)
                              PDRT_LAMBDA { return load(row + column); };

  // The last block of all may be short of kLanes columns; behind its end lies someone else's
  // memory.
  int whole = task.block_count;
  if (whole > 0 && (task.blocks[whole - 1] + 1) * static_cast<std::int64_t>(kLanes) > task.columns)
    --whole;
  // The hardware follows whole rows, but loses the thread where blocks are left out.
  constexpr int kAhead = 12;  // blocks
  const bool gaps = task.block_count * kLanes < task.columns;
  const Cache cache = gaps ? cache_to_ask() : Cache::first_level;
  int b = 0;
  for (; b + kChains <= whole; b += kChains) {
    if (further != 0) {
      const std::int64_t at = static_cast<std::int64_t>(task.blocks[b]) * kLanes + further;
      ask_cache(Cache::second_level, [&](auto fetch) PDRT_LAMBDA {
        for (int chain = 0; chain < kChains; ++chain) {
          for (int r = 0; r < kRows; ++r) fetch(rows[r] + at + chain * kLanes);
        }
      });
    }
    if (gaps) {
      const std::int64_t at =
          static_cast<std::int64_t>(task.blocks[smaller_of(b + kAhead, whole - 1)]) * kLanes;
      ask_cache(cache, [&](auto fetch) PDRT_LAMBDA {
        for (int r = 0; r < kRows; ++r) fetch(rows[r] + at);
      });
    }
#pragma GCC unroll 2
    for (int chain = 0; chain < kChains; ++chain) {
      add_block(chain, static_cast<std::int64_t>(task.blocks[b + chain]) * kLanes, read_whole);
    }
  }
  if (b < whole) add_block(0, static_cast<std::int64_t>(task.blocks[b]) * kLanes, read_whole);
  if (whole < task.block_count) {
    const std::int64_t at = static_cast<std::int64_t>(task.blocks[whole]) * kLanes;
    add_block(0, at, [&](const float* row, std::int64_t column) PDRT_LAMBDA {
      const auto lanes = lanes_between(0, task.columns - static_cast<int>(column));
      return load(row + column, lanes, Floats{});
    });
  }

  for (int r = 0; r < kRows; ++r) {
    Floats total = {};
    for (int chain = 0; chain < kChains; ++chain) {
      for (int g = 0; g < kGroup; ++g) total += sums[r][chain][g];
    }
    totals[r] = total;
  }
}

// Short rows are over before the hardware has learnt where they lead: those some way ahead are
// asked for. Rows of a few lines each at once; longer ones, while others are computed, and only of
// the second-level cache.
class RowsAhead {
 public:
  RowsAhead(const FullyConnected& task, int first, int last)
      : task_(task), next_(first), last_(last) {
    const std::int64_t row = static_cast<std::int64_t>(task.columns) * sizeof(float);
    if (row == 0 || task.block_count * kLanes < task.columns) return;
    if (row <= kShortRow) {
      rows_ = static_cast<int>((kAheadBytes + row - 1) / row);
    } else if (row <= kLongRow && cache_ == Cache::second_level) {
      further_ = static_cast<int>((kAheadBytes - 1) / (kRowsAtOnce * row) + 1) * kRowsAtOnce;
    }
  }

  // Rows up to position `at` of the list are about to be read.
  inline __attribute__((always_inline)) void ask(int at) {
    if (rows_ == 0) return;
    for (const int end = smaller_of(at + rows_, last_); next_ < end; ++next_) {
      const float* row =
          task_.weights + static_cast<std::int64_t>(task_.kernels[next_]) * task_.columns;
      ask_cache(cache_, [&](auto fetch) PDRT_LAMBDA {
        for (int i = 0; i < task_.columns; i += kLanes) fetch(row + i);
      });
    }
  }

  // How far behind the kRowsAtOnce rows from position `at` on, which are neighbours, those lie that
  // should be asked for: floats, or 0.
  std::int64_t further(int at) const {
    const int end = at + further_ + kRowsAtOnce;
    const bool neighbours =
        end <= last_ && task_.kernels[end - 1] - task_.kernels[at] == end - 1 - at;
    return neighbours ? static_cast<std::int64_t>(further_) * task_.columns : 0;
  }

 private:
  static constexpr int kAheadBytes = 8 * 1024;
  static constexpr int kShortRow = 512, kLongRow = 16 * 1024;  // bytes
  const FullyConnected& task_;
  const Cache cache_ = cache_to_ask();
  int next_, last_;
  int rows_ = 0, further_ = 0;  // of rows: how many ahead
};

// At most kLanes rows: the lanes of the epilogue are their numbers.
template <bool kMasked>
static void some_rows(const FullyConnected& task, int first, int last, RowsAhead& ahead) {
  const int count = last - first;
  const std::int32_t* kernels = task.kernels + first;
  Floats totals[kLanes] = {};
  int k = 0;
  for (; k + kRowsAtOnce <= count; k += kRowsAtOnce) {
    ahead.ask(first + k + kRowsAtOnce);
    dot_rows<kRowsAtOnce, kMasked>(task, kernels + k, ahead.further(first + k), totals + k);
  }
  for (; k < count; ++k) dot_rows<1, kMasked>(task, kernels + k, 0, totals + k);

  float numbers[kLanes];
  std::int32_t of_lane[kLanes];
  for (int i = 0; i < kLanes; i += 4) {
    const Quad sums = sums_of(totals[i], totals[i + 1], totals[i + 2], totals[i + 3]);
    std::memcpy(numbers + i, &sums, sizeof sums);
  }
  for (int i = 0; i < kLanes; ++i) of_lane[i] = kernels[smaller_of(i, count - 1)];
  finish_numbers(task, of_lane, count, numbers);
}

void fully_connected(const FullyConnected& task, int first, int last) noexcept {
  const auto rows = task.mask == nullptr ? some_rows<false> : some_rows<true>;
  RowsAhead ahead(task, first, last);
  for (int k = first; k < last; k += kLanes) rows(task, k, smaller_of(k + kLanes, last), ahead);
}

}  // namespace pdrt::cpu::PDRT_ISA
