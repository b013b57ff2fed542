// Fully connected layers whose weights lie by input: lanes run along the kernels.
#include "planes/by_input.h"

#include "cpu/isa/ask.h"
#include "cpu/isa/functions.h"
#include "cpu/isa/number_ends.h"
#include "cpu/isa/shuffles.h"

namespace pdrt::cpu::PDRT_ISA {

// Inputs whose weights are read at once: fewer streams than this, or other asks than of the same
// place of the next ones, get less from memory.
constexpr int kInputsAtOnce = 8;
// Of short rows more are asked for ahead: so many bytes.
constexpr std::int64_t kAheadBytes = 16 * 1024;
// Rows of so many floats the hardware follows whatever is left out between them.
constexpr std::int64_t kLongRow = 2048;

// kInputs listed inputs from position `at` on. A sum takes one after the other, so it is the same
// however the list is cut.
template <int kInputs, bool kAsks>
static void add_rows(const ByInput& task, int at, int ahead, float* sums) {
  const std::int64_t row = by_input_row(task.kernels);
  const auto row_of = [&](int place) {
    return task.weights + task.listed[smaller_of(place, task.listed_count - 1)] * row;
  };
  const float *rows[kInputs], *later[kInputs];
  Floats inputs[kInputs];
  for (int i = 0; i < kInputs; ++i) {
    rows[i] = row_of(at + i);
    later[i] = row_of(at + ahead + i);
    inputs[i] = splat(task.input[task.listed[at + i]]);
  }
  ask_cache(cache_to_ask(), [&](auto fetch) PDRT_LAMBDA {
    for (std::int64_t k = 0; k < row; k += kLanes) {
      if constexpr (kAsks) unrolled<kInputs>([&](int i) PDRT_LAMBDA { fetch(later[i] + k); });
      for (std::int64_t lane = k; lane < k + kLanes; lane += kVector) {
        Floats sum = load(sums + lane);
        unrolled<kInputs>([&](int i) PDRT_LAMBDA { sum += inputs[i] * load(rows[i] + lane); });
        store(sums + lane, sum);
      }
    }
  });
}

#if defined(__x86_64__)
constexpr bool kMayFollow = true;
#else
constexpr bool kMayFollow = false;  // not known
#endif

// Whether the hardware follows the rows of listed inputs [first, last) by itself, as it does on
// processors that have what they ask for sooner in a first-level cache, Zen 5: asked on top of
// that, memory gives up to a seventh less.
static bool is_followed(const ByInput& task, int first, int last) {
  if (!kMayFollow || cache_to_ask() != Cache::first_level || first == last) return false;
  const bool neighbours = task.listed[last - 1] - task.listed[first] == last - 1 - first;
  return neighbours || task.kernels >= kLongRow;
}

template <bool kAsks>
static void add_all(const ByInput& task, int first, int last, float* sums) {
  const std::int64_t at_once = kInputsAtOnce * by_input_row(task.kernels) * sizeof(float);
  const int ahead = kInputsAtOnce * static_cast<int>((kAheadBytes - 1) / at_once + 1);
  int at = first;
  for (; at + kInputsAtOnce <= last; at += kInputsAtOnce)
    add_rows<kInputsAtOnce, kAsks>(task, at, ahead, sums);
  for (; at < last; ++at) add_rows<1, kAsks>(task, at, ahead, sums);
}

void add_inputs(const ByInput& task, int first, int last, float* sums) noexcept {
  (is_followed(task, first, last) ? add_all<false> : add_all<true>)(task, first, last, sums);
}

void finish_sums(const ByInput& task, const float* sums, int parts) noexcept {
  const std::int64_t row = by_input_row(task.kernels);
  for (int k = 0; k < task.kernels; k += kLanes) {
    float numbers[kLanes];
    for (int lane = 0; lane < kLanes; lane += kVector) {
      Floats total = load(sums + k + lane);
      for (int part = 1; part < parts; ++part) total += load(sums + part * row + k + lane);
      store(numbers + lane, total);
    }
    const int count = smaller_of(kLanes, task.kernels - k);
    std::int32_t of_lane[kLanes];
    for (int i = 0; i < kLanes; ++i) of_lane[i] = k + smaller_of(i, count - 1);
    finish_numbers(task, of_lane, count, numbers);
  }
}

// Columns of more rows than the hardware follows are asked for so much earlier.
constexpr int kColumnsAhead = 2 * kLanes;

// At most kLanes kernels and kVector columns.
template <typename Fetch>
static void turn(const float* rows, int kernels, std::int64_t columns, int count, float* to,
                 std::int64_t row, const Fetch& fetch) {
  Floats of_kernel[kLanes] = {}, of_input[kLanes];
  for (int k = 0; k < kernels; ++k) {
    fetch(rows + k * columns + kColumnsAhead);
    if (count == kVector) {
      of_kernel[k] = load(rows + k * columns);
    } else {
      std::memcpy(&of_kernel[k], rows + k * columns,
                  static_cast<std::size_t>(count) * sizeof(float));
    }
  }
  interleave(of_kernel, of_input);
  alignas(64) float side_by_side[kVector * kLanes];
  unrolled<kLanes>([&](int i) PDRT_LAMBDA { store(side_by_side + i * kVector, of_input[i]); });
  for (int i = 0; i < count; ++i) copy_past_caches(to + i * row, side_by_side + i * kLanes, kLanes);
}

void weights_by_input(const float* rows, int kernels, std::int64_t columns, std::int64_t first,
                      std::int64_t last, float* to, std::int64_t row) noexcept {
  ask_cache(cache_to_ask(), [&](auto fetch) PDRT_LAMBDA {
    for (std::int64_t column = first; column < last; column += kVector) {
      const int count = last - column < kVector ? static_cast<int>(last - column) : kVector;
      for (int k = 0; k < kernels; k += kLanes) {
        turn(rows + k * columns + column, smaller_of(kLanes, kernels - k), columns, count,
             to + column * row + k, row, fetch);
      }
    }
  });
  stored_past_caches();
}

}  // namespace pdrt::cpu::PDRT_ISA
