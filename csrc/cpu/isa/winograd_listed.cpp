// Winograd: a kernel's weights for the inputs that are on, transformed as they are needed. Those of
// others are not looked at.
#include "cpu/isa/ask.h"
#include "cpu/isa/functions.h"
#include "cpu/isa/winograd_gather.h"

namespace pdrt::cpu::PDRT_ISA {

// Asks for a row of taps, as much at a time as makes the whole in so many times.
class RowAsked {
 public:
  RowAsked(const float* row, int floats, int times)
      : next_(row),
        end_(row != nullptr ? row + floats : nullptr),
        lines_((floats + kLanes * times - 1) / (kLanes * times)) {}
  inline __attribute__((always_inline)) void ask() {
    for (int i = 0; i < lines_ && next_ < end_; ++i, next_ += kLanes)
      Fetch<Cache::first_level>()(next_);
  }

 private:
  const float* next_;
  const float* end_;
  int lines_;  // at a time
};

template <int kTile>
static void transform_listed(const ListedWeights& task, float* out, std::int64_t position_stride) {
  // The last filter, behind which there may be nothing to read.
  float last[kReadable] = {};
  std::memcpy(last, task.taps + std::int64_t{9} * (task.channels - 1), 9 * sizeof(float));
  RowAsked next(task.next, 9 * task.channels, (task.count + kVector - 1) / kVector);
  for (int first = 0; first < task.count; first += kVector) {
    next.ask();
    const float* filters[kVector];
    for (int i = 0; i < kVector; ++i) {
      const int channel = task.listed[smaller_of(first + i, task.count - 1)];
      filters[i] = channel < task.channels - 1 ? task.taps + std::int64_t{9} * channel : last;
    }
    Floats taps[9];
    gather_taps(filters, taps);
    transform_taps<kTile>(taps, [&](int position, Floats weights) PDRT_LAMBDA {
      store(out + position * position_stride + first, weights);
    });
  }
}

void winograd_listed(int tile, const ListedWeights& task, float* out,
                     std::int64_t position_stride) noexcept {
  switch (tile) {
    case 2:
      return transform_listed<2>(task, out, position_stride);
    case 4:
      return transform_listed<4>(task, out, position_stride);
    default:
      return transform_listed<6>(task, out, position_stride);
  }
}

}  // namespace pdrt::cpu::PDRT_ISA
