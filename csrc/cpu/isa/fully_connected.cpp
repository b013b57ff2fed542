// Fully connected layers: lanes run along the inputs, so that every weight is read once, in order.
#include "cpu/isa/ask.h"
#include "cpu/isa/functions.h"
#include "cpu/isa/lanes.h"
#include "cpu/isa/number_ends.h"

namespace pdrt::cpu::PDRT_ISA {

// Rows computed at once: eight sums in flight. A row's sum is the same whatever rows are computed
// beside it, so the result does not depend on how the rows are divided among threads.
constexpr int kRowsAtOnce = 8 / kGroup;

// What is asked for with every block of rows without gaps: floats behind each row's own, `within`
// the row up to block `turn`, then `beyond` it. 0: nothing.
struct StreamAhead {
  std::int64_t within = 0, beyond = 0;
  int turn = 0;
};

// The lanes of the sums of kRows rows.
template <int kRows, bool kMasked>
static void dot_rows(const FullyConnected& task, const std::int32_t* kernels,
                     const StreamAhead& ahead, Floats* totals) {
  const float* rows[kRows];
  for (int r = 0; r < kRows; ++r) {
    rows[r] = task.weights + static_cast<std::int64_t>(kernels[r]) * task.columns;
  }
  Floats sums[kRows][kGroup] = {};
  // read(from): kVector floats, fewer in a short block.
  const auto add_block = [&](std::int64_t at, const auto& read) PDRT_LAMBDA {
    for (int g = 0; g < kGroup; ++g) {
      const std::int64_t column = at + g * kVector;
      const Floats input = read(task.input, column);
      for (int r = 0; r < kRows; ++r) {
        Floats weight = read(rows[r], column);
        if constexpr (kMasked) weight = floats(bits(weight) & load(task.mask + column));
        sums[r][g] += input * weight;
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
  // The hardware loses the thread where blocks are left out.
  constexpr int kAhead = 12;  // blocks
  const bool gaps = task.block_count * kLanes < task.columns;
  const Cache cache = gaps ? cache_to_ask() : Cache::first_level;
  std::int64_t on = ahead.within;
  for (int b = 0; b < whole; ++b) {
    const std::int64_t at = static_cast<std::int64_t>(task.blocks[b]) * kLanes;
    if (b >= ahead.turn) on = ahead.beyond;
    if (on != 0) {
      ask_cache(Cache::second_level, [&](auto fetch) PDRT_LAMBDA {
        for (int r = 0; r < kRows; ++r) fetch(rows[r] + at + on);
      });
    }
    if (gaps) {
      const std::int64_t later =
          static_cast<std::int64_t>(task.blocks[smaller_of(b + kAhead, whole - 1)]) * kLanes;
      ask_cache(cache, [&](auto fetch) PDRT_LAMBDA {
        for (int r = 0; r < kRows; ++r) fetch(rows[r] + later);
      });
    }
    add_block(at, read_whole);
  }
  if (whole < task.block_count) {
    const std::int64_t at = static_cast<std::int64_t>(task.blocks[whole]) * kLanes;
    add_block(at, [&](const float* row, std::int64_t column) PDRT_LAMBDA {
      const auto lanes = lanes_between(0, task.columns - static_cast<int>(column));
      return load(row + column, lanes, Floats{});
    });
  }

  for (int r = 0; r < kRows; ++r) {
    Floats total = {};
    for (int g = 0; g < kGroup; ++g) total += sums[r][g];
    totals[r] = total;
  }
}

// What rows ask for. Short ones are over before the hardware has learnt where they lead: whole rows
// some way ahead. Longer ones it follows, but a second-level cache gets a fifth more from memory
// where it is asked for every line of eight streams.
class RowsAhead {
 public:
  RowsAhead(const FullyConnected& task, int first, int last)
      : task_(task), next_(first), last_(last) {
    const std::int64_t row = static_cast<std::int64_t>(task.columns) * sizeof(float);
    if (row == 0 || task.block_count * kLanes < task.columns) return;
    if (row <= kShortRow) {
      rows_ = static_cast<int>((kAheadBytes + row - 1) / row);
    } else if (cache_ == Cache::second_level) {
      within_ = smaller_of(kStreamFloats, task.columns);
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

  // Of the kRowsAtOnce rows from position `at` on: behind their ends, the next ones if these are
  // neighbours.
  StreamAhead of(int at) const {
    const int end = at + 2 * kRowsAtOnce;
    const bool neighbours =
        end <= last_ && task_.kernels[end - 1] - task_.kernels[at] == 2 * kRowsAtOnce - 1;
    const std::int64_t to_next = static_cast<std::int64_t>(kRowsAtOnce - 1) * task_.columns;
    return {within_, within_ > 0 && neighbours ? within_ + to_next : 0,
            (task_.columns - within_) / kLanes};
  }

 private:
  static constexpr int kAheadBytes = 8 * 1024;
  static constexpr int kShortRow = 512;  // bytes
  static constexpr int kStreamFloats = 256;
  const FullyConnected& task_;
  const Cache cache_ = cache_to_ask();
  int next_, last_;
  int rows_ = 0, within_ = 0;
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
    dot_rows<kRowsAtOnce, kMasked>(task, kernels + k, ahead.of(first + k), totals + k);
  }
  for (; k < count; ++k) dot_rows<1, kMasked>(task, kernels + k, {}, totals + k);

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
