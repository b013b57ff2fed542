// Winograd: a kernel's weights for the inputs that are on, transformed as they are needed. Those of
// others are not looked at.
#include "cpu/isa/ask.h"
#include "cpu/isa/functions.h"
#include "cpu/isa/winograd_taps.h"

namespace pdrt::cpu::PDRT_ISA {

// Filters whose taps are in registers at once, and floats that are read of each.
#if PDRT_VECTOR_BYTES == 64
constexpr int kReadable = 16;  // floats of each filter

// In every group of lanes pieces of kWidth lanes of x and y in turn, from their lower or their
// upper halves.
template <int kGroup, int kWidth, int kUpper>
struct PiecesInTurn {
  static constexpr int of(int lane) {
    const int in_group = lane % kGroup, piece = in_group / kWidth;
    return lane / kGroup * kGroup + kUpper * kGroup / 2 + piece / 2 * kWidth + in_group % kWidth +
           piece % 2 * kVector;
  }
};

PDRT_INLINE void gather_taps(const float* const (&filters)[kVector], Floats (&taps)[9]) {
  Floats eight[8], ninth[8];  // of filters i and i + 8
  unrolled<8>([&](int i) PDRT_LAMBDA {
    const Floats low = load(filters[i]), high = load(filters[i + 8]);
    eight[i] = pick<PiecesInTurn<16, 8, 0>>(low, high);
    ninth[i] = pick<PiecesInTurn<16, 8, 1>>(low, high);
  });
  // Both halves are eight by eight taps, to be transposed.
  Floats ones[8], twos[8];
  unrolled<4>([&](int i) PDRT_LAMBDA {
    ones[2 * i] = pick<PiecesInTurn<4, 1, 0>>(eight[2 * i], eight[2 * i + 1]);
    ones[2 * i + 1] = pick<PiecesInTurn<4, 1, 1>>(eight[2 * i], eight[2 * i + 1]);
    ninth[i] = pick<PiecesInTurn<4, 1, 0>>(ninth[2 * i], ninth[2 * i + 1]);
  });
  unrolled<2>([&](int i) PDRT_LAMBDA {
    unrolled<2>([&](int j) PDRT_LAMBDA {
      twos[4 * i + 2 * j] = pick<PiecesInTurn<4, 2, 0>>(ones[4 * i + j], ones[4 * i + 2 + j]);
      twos[4 * i + 2 * j + 1] = pick<PiecesInTurn<4, 2, 1>>(ones[4 * i + j], ones[4 * i + 2 + j]);
    });
    ninth[i] = pick<PiecesInTurn<4, 2, 0>>(ninth[2 * i], ninth[2 * i + 1]);
  });
  unrolled<4>([&](int i) PDRT_LAMBDA {
    taps[i] = pick<PiecesInTurn<8, 4, 0>>(twos[i], twos[i + 4]);
    taps[i + 4] = pick<PiecesInTurn<8, 4, 1>>(twos[i], twos[i + 4]);
  });
  taps[8] = pick<PiecesInTurn<8, 4, 0>>(ninth[0], ninth[1]);
}
#else
constexpr int kReadable = 9;

PDRT_INLINE void gather_taps(const float* const (&filters)[kVector], Floats (&taps)[9]) {
  float side_by_side[9 * kVector];
  for (int i = 0; i < kVector; ++i)
    std::memcpy(side_by_side + 9 * i, filters[i], 9 * sizeof(float));
  load_taps(side_by_side, taps);
}
#endif

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
