// Fully connected layers whose weights lie in panels: lanes run along the kernels, and a weight is
// a line of its own for every input.
#include "cpu/isa/ask.h"
#include "cpu/isa/functions.h"
#include "cpu/isa/number_ends.h"
#include "cpu/isa/shuffles.h"
#include "planes/panels.h"

namespace pdrt::cpu::PDRT_ISA {

// Sums in flight for each kernel.
constexpr int kChains = 8 / kGroup;
// Lines are asked for so many inputs before they are needed: what a core waits for memory.
constexpr int kInputsAhead = 256;

static const float* panel_of(const PanelProduct& task, int index) {
  return task.weights + panel_place(std::int64_t{index} * kLanes, task.columns);
}

// Sums of panel `index`, whose last inputs ask for the first weights of panel `next`.
static void sum_panel(const PanelProduct& task, int index, int next, float (&numbers)[kLanes]) {
  const float* const weights = panel_of(task, index);
  Floats sums[kChains][kGroup] = {};
  const auto add = [&](int chain, int i) PDRT_LAMBDA {
    const std::int32_t column = task.listed[i];
    const float* const line = weights + std::int64_t{column} * kLanes;
    const Floats x = splat(task.input[column]);
    unrolled<kGroup>([&](int g) PDRT_LAMBDA { sums[chain][g] += x * load(line + g * kVector); });
  };
  // A list with few gaps is a stream to the hardware, which is faster than what is asked for.
  const bool streams = std::int64_t{8} * task.listed_count >= 7 * task.columns;
  const Cache cache = streams ? Cache::first_level : cache_to_ask();
  // Inputs [i, end), where input i + `places` of the list is asked for in the panel `ahead`.
  int i = 0;
  const auto add_until = [&](int end, const float* ahead, int places) PDRT_LAMBDA {
    const auto ask = [&](int at) PDRT_LAMBDA {
      ask_cache(cache, [&](auto fetch) PDRT_LAMBDA {
        fetch(ahead + std::int64_t{task.listed[at + places]} * kLanes);
      });
    };
    for (; i + kChains <= end; i += kChains) {
      unrolled<kChains>([&](int chain) PDRT_LAMBDA {
        ask(i + chain);
        add(chain, i + chain);
      });
    }
    for (; i < end; ++i) {
      ask(i);
      add(0, i);
    }
  };
  const int places = smaller_of(kInputsAhead, task.listed_count);
  add_until(task.listed_count - places, weights, places);
  add_until(task.listed_count, panel_of(task, next), places - task.listed_count);

  unrolled<kGroup>([&](int g) PDRT_LAMBDA {
    Floats total = sums[0][g];
    unrolled<kChains - 1>([&](int chain) PDRT_LAMBDA { total += sums[chain + 1][g]; });
    store(numbers + g * kVector, total);
  });
}

void panel_product(const PanelProduct& task, int first, int last) noexcept {
  for (int index = first; index < last; ++index) {
    float numbers[kLanes];
    sum_panel(task, index, smaller_of(index + 1, last - 1), numbers);
    const int kernel = index * kLanes, count = smaller_of(kLanes, task.kernels - kernel);
    std::int32_t of_lane[kLanes];
    for (int i = 0; i < kLanes; ++i) of_lane[i] = kernel + smaller_of(i, count - 1);
    finish_numbers(task, of_lane, count, numbers);
  }
}

void make_panel(const float* rows, int kernels, std::int64_t columns, float* panel) noexcept {
  alignas(64) float side_by_side[kVector * kLanes];
  for (std::int64_t column = 0; column < columns; column += kVector) {
    const int count = columns - column < kVector ? static_cast<int>(columns - column) : kVector;
    Floats of_kernel[kLanes] = {}, of_input[kLanes];
    for (int k = 0; k < kernels; ++k) {
      const float* const from = rows + k * columns + column;
      if (count == kVector) {
        of_kernel[k] = load(from);
      } else {
        std::memcpy(&of_kernel[k], from, static_cast<std::size_t>(count) * sizeof(float));
      }
    }
    interleave(of_kernel, of_input);
    unrolled<kLanes>([&](int i) PDRT_LAMBDA { store(side_by_side + i * kVector, of_input[i]); });
    copy_past_caches(panel + column * kLanes, side_by_side, count * kLanes);
  }
  stored_past_caches();
}

}  // namespace pdrt::cpu::PDRT_ISA
