// Convolution: a tile of kernels x vectors of pixels in registers, over all
// taps of the active inputs.
#include "cpu/isa/functions.h"
#include "cpu/isa/leftover.h"
#include "cpu/isa/stages.h"

namespace pdrt::cpu::PDRT_ISA {

// Vectors of a full tile; how many taps are written out at once where a filter has that many; and
// the kernels of a full tile of some vectors: sums, the vectors of one tap and a weight must fit
// the registers, and the more sums there are, the fewer loads for each.
#if PDRT_VECTOR_BYTES == 64  // 32 registers
constexpr int kTileVectors = 4;
constexpr int kUnrolledTaps = 9;
constexpr int kMostKernels = 12;
static constexpr int tile_kernels(int taps, int vectors) {
  // Nine taps of more than six rows need more addresses than there are registers for.
  constexpr int kOneTap[] = {12, 12, 8, 6};
  constexpr int kMoreTaps[] = {12, 6, 6, 6};
  return taps == 1 ? kOneTap[vectors - 1] : kMoreTaps[vectors - 1];
}
#elif PDRT_VECTOR_BYTES == 32  // 16 registers
constexpr int kTileVectors = 2;
constexpr int kUnrolledTaps = 9;
constexpr int kMostKernels = 6;
static constexpr int tile_kernels(int, int) { return kMostKernels; }
#elif defined(__aarch64__)     // 32 registers
constexpr int kTileVectors = 4;
constexpr int kUnrolledTaps = 1;
constexpr int kMostKernels = 6;
static constexpr int tile_kernels(int, int) { return kMostKernels; }
#else                          // 16 registers, and products need one where there is no FMA
constexpr int kTileVectors = 2;
constexpr int kUnrolledTaps = 1;
constexpr int kMostKernels = 4;
static constexpr int tile_kernels(int, int) { return kMostKernels; }
#endif

// How a tile ends.
enum class Finish {
  in_registers,  // the epilogue has cheap stages alone
  in_memory,     // any epilogue: through a buffer on the stack
};

template <int kKernels, int kVectors>
PDRT_INLINE void finish_in_memory(const Convolution& task, const std::int32_t* kernels, int begin,
                                  const Floats (&sums)[kKernels][kVectors]) {
  alignas(64) float values[kKernels][kVectors * kVector];
  unrolled<kKernels>([&](int i) PDRT_LAMBDA {
    unrolled<kVectors>([&](int j) PDRT_LAMBDA { store(values[i] + j * kVector, sums[i][j]); });
  });
  const Plane& plane = *task.plane;
  for (int i = 0; i < kKernels; ++i) {
    const int k = kernels[i];
    float* output = output_of(task, kernels + i);
    const bool seen =
        finish(task.epilogue, k, values[i], output, plane.mask, begin, begin + kVectors * kVector);
    if (seen && task.nonzero != nullptr) mark(task.nonzero, k);
    if (task.lane_sums != nullptr) {
      add_to_lanes(output + begin, kVectors * kVector,
                   task.lane_sums + std::int64_t{1} * k * kLanes);
    }
  }
}

template <int kKernels, int kVectors>
PDRT_INLINE void finish_in_registers(const Convolution& task, const std::int32_t* kernels,
                                     int begin, Floats (&sums)[kKernels][kVectors]) {
  const Place place{kernels, begin, PlaneOperands::pixels};
  for (int s = 0; s < task.epilogue.count; ++s) {
    run_cheap_stage(task.epilogue.stages[s], place, sums);
  }
  const Plane& plane = *task.plane;
  Words mask[kVectors];
  load_mask(plane.mask + begin, mask);
  unrolled<kKernels>([&](int i) PDRT_LAMBDA {
    const int k = kernels[i];
    float* output = output_of(task, kernels + i) + begin;
    const Words seen = store_pixels(sums[i], mask, output);
    if (task.nonzero != nullptr && any_nonzero(seen)) mark(task.nonzero, k);
  });
  if (task.lane_sums == nullptr) return;
  // Some instruction sets have tiles of half a group.
  constexpr int kTurns = kVectors < kGroup ? 1 : kVectors / kGroup;
  unrolled<kKernels>([&](int i) PDRT_LAMBDA {
    float* lanes = task.lane_sums + std::int64_t{1} * kernels[i] * kLanes;
    unrolled<kVectors / kTurns>([&](int g) PDRT_LAMBDA {
      Floats sum = load(lanes + g * kVector);
      unrolled<kTurns>([&](int turn) PDRT_LAMBDA {
        const int at = turn * kGroup + g;
        sum += floats(bits(sums[i][at]) & mask[at]);
      });
      store(lanes + g * kVector, sum);
    });
  });
}

// The tile after this one: its kernels, and how many weights one tap has to look ahead per input.
struct Next {
  const float* weights;
  const std::int32_t* kernels;
  std::int64_t step;
};

// Asks the caches for the weights of the next tile while this one computes: rows of weights lie
// kilobytes apart, and each is over before the hardware has learnt where it leads. One tap walks
// the rows one after the other, a few weights per input; more taps have the time to ask for the
// same column of every row.
template <int kKernels, int kTaps>
struct NextWeights {
  const Convolution& task;
  Next next;
  const float* rows[kTaps == 1 ? 1 : kKernels];
  const float* end;
  int row = 0;

  NextWeights(const Convolution& task, Next next) : task(task), next(next) {
    for (int i = 0; i < (kTaps == 1 ? 1 : kKernels); ++i) rows[i] = row_of(i);
    end = rows[0] + task.weights_row;
  }
  const float* row_of(int i) const { return next.weights + next.kernels[i] * task.weights_row; }
  // For the input, or so many of one tap, whose weights begin at `column`.
  void ask(std::int64_t column, int inputs = 1) {
    if constexpr (kTaps == 1) {
      __builtin_prefetch(rows[0]);
      if (inputs > 1) {
        // As many lines as kernels have in so many inputs.
        constexpr int kLines = PDRT_VECTOR_BYTES == 64 ? (kKernels + 3) / 4 : 2;
        unrolled<kLines - 1>([&](int i)
                                 PDRT_LAMBDA { __builtin_prefetch(rows[0] + (i + 1) * kLanes); });
      }
      rows[0] += inputs * next.step;
      if (__builtin_expect(rows[0] >= end, 0)) {
        row = row + 1 < kKernels ? row + 1 : 0;
        rows[0] = row_of(row);
        end = rows[0] + task.weights_row;
      }
    } else {
      unrolled<kKernels>([&](int i) PDRT_LAMBDA { __builtin_prefetch(rows[i] + column); });
    }
  }
};

#if defined(__aarch64__)
// Multiply-adds take their weight from any lane: one load of four neighbouring weights per row
// serves four taps, or four inputs of one tap; at(lane) are their pixels.
template <int kKernels, int kVectors, typename At>
PDRT_INLINE void add_four(const float* const (&weights)[kKernels], std::int64_t column,
                          const At& at, Floats (&sums)[kKernels][kVectors]) {
  static_assert(kVectors % 2 == 0);
  Floats four[kKernels];
  unrolled<kKernels>([&](int i) PDRT_LAMBDA { four[i] = load(weights[i] + column); });
  unrolled<4>([&](int lane) PDRT_LAMBDA {
    const float* pixels = opaque(at(lane));
    unrolled<kVectors / 2>([&](int pair) PDRT_LAMBDA {
      const int j = 2 * pair;
      const Floats x = load(pixels + j * kVector);
      const Floats y = load(pixels + (j + 1) * kVector);
      unrolled<kKernels>([&](int i) PDRT_LAMBDA {
        sums[i][j] += four[i][lane] * x;
        sums[i][j + 1] += four[i][lane] * y;
      });
    });
  });
}
#endif

#if PDRT_VECTOR_BYTES == 64
template <int kValue>
struct Number {
  static constexpr int value = kValue;
};

// Four neighbouring inputs of one tap, for a single vector of pixels. Every multiply-add then needs
// a weight of its own, and the processor loads fewer than two in the time of two multiply-adds:
// half of the kernels get theirs four to a load, and by shuffles, which are idle otherwise.
template <int kKernels, typename At>
PDRT_INLINE void add_four(const float* const (&weights)[kKernels], std::int64_t column,
                          const At& at, Floats (&sums)[kKernels][1]) {
  constexpr int kShuffled = kKernels / 2;
  Floats fours[kShuffled + 1];
  unrolled<kShuffled>([&](int i) PDRT_LAMBDA { fours[i] = repeated(weights[i] + column); });
  const auto add = [&](auto lane) PDRT_LAMBDA {
    constexpr int kLane = decltype(lane)::value;
    const Floats x = load(at(kLane));
    unrolled<kKernels>([&](int i) PDRT_LAMBDA {
      const Floats weight = i < kShuffled ? lane_of_four<kLane>(fours[i < kShuffled ? i : 0])
                                          : splat(weights[i][column + kLane]);
      sums[i][0] += weight * x;
    });
    keep(x);
  };
  add(Number<0>{});
  add(Number<1>{});
  add(Number<2>{});
  add(Number<3>{});
}
#endif

// kTaps is 0 where the number of taps is not known at build time.
template <int kKernels, int kVectors, int kTaps>
PDRT_INLINE void tile(const Convolution& task, const std::int32_t* kernels, int begin, Finish how,
                      const float* const (&weights)[kKernels],
                      NextWeights<kKernels, kTaps>& ahead) {
  const int taps = kTaps > 0 ? kTaps : task.taps;
  Floats sums[kKernels][kVectors];
  unrolled<kKernels>([&](int i) PDRT_LAMBDA {
    const Floats bias = splat(task.bias != nullptr ? task.bias[kernels[i]] : 0.0f);
    unrolled<kVectors>([&](int j) PDRT_LAMBDA { sums[i][j] = bias; });
  });
  const std::int64_t first = begin + (kTaps == 1 ? task.offsets[0] : 0);
  int c = 0;
#if PDRT_VECTOR_BYTES == 64
  if constexpr (kTaps == 1 && kVectors == 1) {
    for (; c + 4 <= task.channels && task.channel[c + 3] == task.channel[c] + 3; c += 4) {
      const std::int64_t column = task.channel[c];
      ahead.ask(column, 4);
      add_four(
          weights, column, [&](int lane) PDRT_LAMBDA { return task.inputs[c + lane] + first; },
          sums);
    }
  }
#endif
  for (; c < task.channels; ++c) {
    const float* input = task.inputs[c] + first;
    const std::int64_t column = static_cast<std::int64_t>(task.channel[c]) * taps;
#if defined(__aarch64__)
    if constexpr (kTaps == 1) {
      if (c + 4 <= task.channels && task.channel[c + 3] == column + 3) {
        ahead.ask(column, 4);
        add_four(
            weights, column, [&](int lane) PDRT_LAMBDA { return task.inputs[c + lane] + first; },
            sums);
        c += 3;
        continue;
      }
    }
#endif
    ahead.ask(column);
    const auto add_tap = [&](int t) PDRT_LAMBDA {
      const float* at = opaque(kTaps == 1 ? input : input + task.offsets[t]);
      Floats x[kVectors];
      unrolled<kVectors>([&](int j) PDRT_LAMBDA { x[j] = load(at + j * kVector); });
      unrolled<kKernels>([&](int i) PDRT_LAMBDA {
        const Floats weight = splat(weights[i][column + t]);
        unrolled<kVectors>([&](int j) PDRT_LAMBDA { sums[i][j] += weight * x[j]; });
        // With one vector the multiply-add takes the weight from memory.
        if constexpr (kVectors > 1) keep(weight);
      });
      unrolled<kVectors>([&](int j) PDRT_LAMBDA { keep(x[j]); });
    };
    if constexpr (kTaps > 0) {
      unrolled<kTaps>(add_tap);
    } else {
      int t = 0;
#if defined(__aarch64__)
      for (; t + 4 <= taps; t += 4) {
        add_four(
            weights, column + t,
            [&](int lane) PDRT_LAMBDA { return input + task.offsets[t + lane]; }, sums);
      }
#endif
      for (; t < taps; ++t) add_tap(t);
    }
  }
  if (how == Finish::in_registers) {
    finish_in_registers(task, kernels, begin, sums);
  } else {
    finish_in_memory(task, kernels, begin, sums);
  }
}

// `count` tiles of the same kernels, one behind the other.
template <int kKernels, int kVectors, int kTaps>
static void tiles_in_a_row(const Convolution& task, const std::int32_t* kernels, int begin,
                           int count, Finish how, Next next) {
  const float* weights[kKernels];
  unrolled<kKernels>([&](int i) PDRT_LAMBDA {
    weights[i] = opaque(task.weights + kernels[i] * task.weights_row);
  });
  NextWeights<kKernels, kTaps> ahead(task, next);
  for (int i = 0; i < count; ++i) {
    tile<kKernels, kVectors, kTaps>(task, kernels, begin + i * kVectors * kVector, how, weights,
                                    ahead);
  }
}

using TileRow = void (*)(const Convolution& task, const std::int32_t* kernels, int begin, int count,
                         Finish how, Next next);

// Every size of tile of whole groups of kLanes up to the full ones: [vectors - 1][kernels - 1].
struct Tiles {
  TileRow of[kTileVectors][kMostKernels];
};

template <int kTaps, int kKernels, int kVectors>
static constexpr void fill_in(Tiles& tiles) {
  tiles.of[kVectors - 1][kKernels - 1] = tiles_in_a_row<kKernels, kVectors, kTaps>;
  if constexpr (kKernels > 1) {
    fill_in<kTaps, kKernels - 1, kVectors>(tiles);
  } else if constexpr (kVectors > kGroup) {
    fill_in<kTaps, tile_kernels(kTaps, kVectors - kGroup), kVectors - kGroup>(tiles);
  }
}

template <int kTaps>
static constexpr Tiles all_tiles() {
  Tiles tiles{};
  fill_in<kTaps, tile_kernels(kTaps, kTileVectors), kTileVectors>(tiles);
  return tiles;
}

static constexpr Tiles kAnyTaps = all_tiles<0>();
static constexpr Tiles kOneTap = all_tiles<1>();
static constexpr Tiles kManyTaps = all_tiles<kUnrolledTaps>();

static Finish finish_of(const Epilogue& epilogue) {
  for (int s = 0; s < epilogue.count; ++s) {
    if (!is_cheap(epilogue.stages[s].stage)) return Finish::in_memory;
  }
  return Finish::in_registers;
}

// Cuts `count` into as few parts of at most `most` as there can be, as even as they can be, the
// larger ones first: the end of part `index`.
struct Parts {
  int count, parts;
  Parts(int count, int most) : count(count), parts((count + most - 1) / most) {}
  int end(int index) const {
    return count / parts * (index + 1) + smaller_of(index + 1, count % parts);
  }
  // From `index` on: how many are as large.
  int alike(int index) const { return (index < count % parts ? count % parts : parts) - index; }
};

// Inputs of tiles that follow each other with the same kernels: so much stays in a first-level
// cache while the other kernels follow.
constexpr int kNearBytes = 32 * 1024;

// Kernels [first, last) on whole tiles of pixels [begin, end); done(low, high) after every tile of
// kernels of the last pixels, while its weights are near.
template <typename Done>
static void convolve_tiles(const Convolution& task, int first, int last, int begin, int end,
                           const Done& done) {
  const Tiles& tiles = task.taps == 1 ? kOneTap : task.taps == kUnrolledTaps ? kManyTaps : kAnyTaps;
  const Finish how = finish_of(task.epilogue);
  const Parts vectors((end - begin) / kVector, kTileVectors);
  for (int v = 0, from = 0; v < vectors.parts;) {
    const int size = vectors.end(v) - from;
    const int inputs = larger_of(1, task.channels) * size * PDRT_VECTOR_BYTES;
    const Parts rows(vectors.alike(v), larger_of(1, kNearBytes / inputs));
    const int count = rows.end(0);
    v += count;
    const int most = tile_kernels(task.taps, size);
    const Parts kernels(last - first, most);
    const std::int64_t step = most * task.weights_row / (larger_of(1, task.channels) * count);
    for (int k = 0, low = 0; k < kernels.parts; ++k) {
      const int high = kernels.end(k);
      // The last tile asks for what comes after this call; if that is not known, for its own
      // weights again, which costs nothing.
      Next next{task.weights, task.kernels + first + high, step};
      if (high + (high - low) > last - first) {
        const bool known = v == vectors.parts && task.next_weights != nullptr;
        next.weights = known ? task.next_weights : task.weights;
        next.kernels = task.kernels + first + (known ? 0 : low);
      }
      tiles.of[size - 1][high - low - 1](task, task.kernels + first + low, begin + from * kVector,
                                         count, how, next);
      if (v == vectors.parts) done(high);
      low = high;
    }
    from += count * size;
  }
}

static void convolve_with_leftover(const Convolution& task, int first, int last, int begin,
                                   int pixels) {
  const Leftover leftover(task, pixels);
  const int end = task.plane->flat - kLanes;
  int done = 0;
  const auto catch_up = [&](int high) {
    const int count =
        high == last - first ? high - done : (high - done) / Leftover::kRows * Leftover::kRows;
    leftover.compute(task.kernels + first + done, count);
    done += count;
  };
  if (begin < end) {
    convolve_tiles(task, first, last, begin, end, catch_up);
  } else {
    catch_up(last - first);
  }
}

void convolve(const Convolution& task, int first, int last, int begin, int end) noexcept {
  const int leftover = end == task.plane->flat ? Leftover::pixels_of(task) : 0;
  if (leftover > 0) {
    convolve_with_leftover(task, first, last, begin, leftover);
  } else {
    convolve_tiles(task, first, last, begin, end, [](int) {});
  }
}

}  // namespace pdrt::cpu::PDRT_ISA
