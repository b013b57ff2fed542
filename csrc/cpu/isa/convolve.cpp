// Convolution: a tile of kernels x vectors of pixels in registers, over all
// taps of the active inputs.
#include "cpu/isa/columns.h"
#include "cpu/isa/leftover.h"
#include "cpu/isa/panels.h"
#include "cpu/isa/row_ahead.h"
#include "cpu/isa/tile_ends.h"

namespace pdrt::cpu::PDRT_ISA {

constexpr int kInPanels = -1;  // in place of a number of taps: one, and weights in panels

// Vectors of a full tile; how many taps are written out at once where a filter has that many; and
// the kernels of a full tile of some vectors: sums, the vectors of one tap and a weight must fit
// the registers, and the more sums there are, the fewer loads for each.
#if PDRT_VECTOR_BYTES == 64  // 32 registers
constexpr int kTileVectors = 4;
constexpr int kUnrolledTaps = 9;
constexpr int kMostKernels = 16;
static constexpr int tile_vectors(int taps) { return taps == kInPanels ? 3 : kTileVectors; }
static constexpr int tile_kernels(int taps, int vectors) {
  // Nine taps of more than six rows need more addresses than there are registers for.
  constexpr int kOneTap[] = {12, 12, 8, 6};
  constexpr int kMoreTaps[] = {12, 6, 6, 6};
  constexpr int kPanel[] = {16, 8, 8};  // a panel, or half of one
  return (taps == kInPanels ? kPanel : taps == 1 ? kOneTap : kMoreTaps)[vectors - 1];
}
#elif PDRT_VECTOR_BYTES == 32  // 16 registers
constexpr int kTileVectors = 2;
constexpr int kUnrolledTaps = 9;
constexpr int kMostKernels = 6;
static constexpr int tile_vectors(int) { return kTileVectors; }
static constexpr int tile_kernels(int, int) { return kMostKernels; }
#elif defined(__aarch64__)     // 32 registers
constexpr int kTileVectors = 4;
constexpr int kUnrolledTaps = 9;
constexpr int kMostKernels = 6;
static constexpr int tile_vectors(int) { return kTileVectors; }
static constexpr int tile_kernels(int, int) { return kMostKernels; }
#else                          // 16 registers, and products need one where there is no FMA
constexpr int kTileVectors = 2;
constexpr int kUnrolledTaps = 1;
constexpr int kMostKernels = 4;
static constexpr int tile_vectors(int) { return kTileVectors; }
static constexpr int tile_kernels(int, int) { return kMostKernels; }
#endif

// Inputs of neighbouring weights, kInputs in one step, if all inputs are such: nothing but sums and
// addresses is left to do. Returns for how many inputs that was done.
template <int kTaps, int kInputs, int kKernels, int kVectors>
PDRT_INLINE int add_neighbours(const Convolution& task, const float* const (&weights)[kKernels],
                               const std::int64_t* offsets,
                               NextTile<kKernels, kVectors, kTaps>& ahead,
                               Floats (&sums)[kKernels][kVectors]) {
  const int count = task.channels / kInputs * kInputs;
  if (count == 0 || task.channel[task.channels - 1] - task.channel[0] != task.channels - 1) {
    return 0;
  }
  std::int64_t first = static_cast<std::int64_t>(task.channel[0]) * kTaps;
  const float* const* inputs = task.inputs;
  for (const float* const* const end = inputs + count; inputs != end; inputs += kInputs) {
    inputs = opaque(inputs);
    // Few weights are not worth an address of their own for every kernel.
    if constexpr (kTaps == 1) first = opaque(first);
    ahead.template ask<kInputs>(first);
    const auto at = [&](int i) PDRT_LAMBDA { return inputs[i / kTaps] + offsets[i % kTaps]; };
    add_columns<kInputs * kTaps>(weights, first, at, sums);
    first += kInputs * kTaps;
  }
  return count;
}

// kTaps is 0 where the number of taps is not known at build time.
template <int kKernels, int kVectors, int kTaps>
PDRT_INLINE void tile(const Convolution& task, const std::int32_t* kernels,
                      const Outputs<kKernels>& outputs, int begin, Finish how,
                      const float* const (&weights)[kKernels],
                      NextTile<kKernels, kVectors, kTaps>& ahead) {
  const int taps = kTaps > 0 ? kTaps : task.taps;
  Floats sums[kKernels][kVectors];
  start_tile(task, kernels, sums);
  std::int64_t offsets[larger_of(kTaps, 1)];
  for (int t = 0; t < kTaps; ++t) offsets[t] = begin + task.offsets[t];
  int c = 0;
  if constexpr (kTaps > 0 && kWeightsByLane) {
    constexpr int kInputs = kTaps == 1 ? kLanes : 4;
    c = add_neighbours<kTaps, kInputs>(task, weights, offsets, ahead, sums);
  }
  const std::int64_t first = kTaps == 1 ? offsets[0] : begin;
  if constexpr (kTaps == 1 && kVectors == 1 && kWeightsByShuffle) {
    for (; c + 4 <= task.channels && task.channel[c + 3] == task.channel[c] + 3; c += 4) {
      const std::int64_t column = task.channel[c];
      ahead.template ask<4>(column);
      add_four(
          weights, column, [&](int i) PDRT_LAMBDA { return task.inputs[c + i] + first; }, sums);
    }
    // Up to the first wide gap. Where about half of the inputs are off, tiles wait for memory, and
    // loads of whole vectors bring lines of the next rows, too.
    if (std::int64_t{8} * task.channels > 5 * task.weights_row) {
      while (c + 4 <= task.channels && are_near(task.channel + c, task.weights_row)) {
        const std::int32_t* columns = task.channel + c;
        ahead.template ask<4>(columns[0]);
        add_near_four(
            weights, columns, [&](int i) PDRT_LAMBDA { return task.inputs[c + i] + first; }, sums);
        c += 4;
      }
    }
  }
  for (; c < task.channels; ++c) {
    const float* input = task.inputs[c] + first;
    const std::int64_t column = static_cast<std::int64_t>(task.channel[c]) * taps;
    if constexpr (kTaps == 1 && kWeightsByLane) {
      if (c + 4 <= task.channels && task.channel[c + 3] == column + 3) {
        const auto at = [&](int i) PDRT_LAMBDA { return task.inputs[c + i] + first; };
        ahead.template ask<4>(column);
        add_columns<4>(weights, column, at, sums);
        c += 3;
        continue;
      }
    }
    ahead.ask(column);
    if constexpr (kTaps == 1) {
      add_one(weights, column, opaque(input), sums);
    } else if constexpr (kTaps > 1) {
      const auto at = [&](int t) PDRT_LAMBDA { return task.inputs[c] + offsets[t]; };
      add_columns<kTaps>(weights, column, at, sums);
    } else {
      int t = 0;
      if constexpr (kWeightsByLane) {
        for (; t + 4 <= taps; t += 4) {
          const auto at = [&](int lane) PDRT_LAMBDA { return input + task.offsets[t + lane]; };
          add_four(weights, column + t, at, sums);
        }
      }
      for (; t < taps; ++t) add_one(weights, column + t, opaque(input + task.offsets[t]), sums);
    }
  }
  finish_tile(task, kernels, outputs, begin, how, sums);
}

// `count` tiles of the same kernels, one behind the other.
template <int kKernels, int kVectors, int kTaps>
static void tiles_in_a_row(const Convolution& task, const std::int32_t* kernels, int begin,
                           int count, Finish how, const Next& next) {
  const float* weights[kKernels];
  unrolled<kKernels>([&](int i) PDRT_LAMBDA {
    weights[i] = opaque(task.weights + kernels[i] * task.weights_row);
  });
  const Outputs<kKernels> outputs(task, kernels);
  NextTile<kKernels, kVectors, kTaps> ahead(task, next);
  for (int i = 0; i < count; ++i, begin += kVectors * kVector) {
    if (i + 1 < count) {
      ahead.ask_for_outputs(kernels, task.output + begin + kVectors * kVector);
    } else {
      ahead.ask_for_outputs(next.kernels, next.outputs);
    }
    tile<kKernels, kVectors, kTaps>(task, kernels, outputs, begin, how, weights, ahead);
  }
}

template <typename Ahead>
using TileRow = void (*)(const Convolution& task, const std::int32_t* kernels, int begin, int count,
                         Finish how, const Ahead& ahead);

// Every size of tile of whole groups of kLanes up to the full ones: [vectors - 1][kernels - 1].
template <typename Ahead>
struct Tiles {
  TileRow<Ahead> of[kTileVectors][kMostKernels];
};

template <int kTaps, int kKernels, int kVectors, typename Ahead>
static constexpr void fill_in(Tiles<Ahead>& tiles) {
  if constexpr (kTaps == kInPanels) {
    tiles.of[kVectors - 1][kKernels - 1] = tiles_in_panel<kKernels, kVectors>;
  } else {
    tiles.of[kVectors - 1][kKernels - 1] = tiles_in_a_row<kKernels, kVectors, kTaps>;
  }
  if constexpr (kKernels > 1) {
    fill_in<kTaps, kKernels - 1, kVectors>(tiles);
  } else if constexpr (kVectors > kGroup) {
    fill_in<kTaps, tile_kernels(kTaps, kVectors - kGroup), kVectors - kGroup>(tiles);
  }
}

template <int kTaps, typename Ahead>
static constexpr Tiles<Ahead> all_tiles() {
  Tiles<Ahead> tiles{};
  constexpr int kVectors = tile_vectors(kTaps);
  fill_in<kTaps, tile_kernels(kTaps, kVectors), kVectors>(tiles);
  return tiles;
}

static constexpr Tiles<Next> kAnyTaps = all_tiles<0, Next>();
static constexpr Tiles<Next> kOneTap = all_tiles<1, Next>();
static constexpr Tiles<Next> kManyTaps = all_tiles<kUnrolledTaps, Next>();
static constexpr Tiles<PanelsAhead> kPanels = all_tiles<kInPanels, PanelsAhead>();

static Finish finish_of(const Convolution& task) {
  if (task.plane->mask == nullptr) return Finish::as_they_are;
  for (int s = 0; s < task.epilogue.count; ++s) {
    if (!is_cheap(task.epilogue.stages[s].stage)) return Finish::in_memory;
  }
  return task.past_caches ? Finish::past_caches : Finish::in_registers;
}

// Inputs of tiles that follow each other with the same kernels: so much stays in a first-level
// cache while the other kernels follow.
constexpr int kNearBytes = 32 * 1024;

// Kernels [first, last); done(high) after every tile of them.
template <typename Done>
static void kernels_in_turn(const Convolution& task, int first, int last, const TilesInARow& row,
                            const Done& done) {
  const Tiles<Next>& tiles = task.taps == 1               ? kOneTap
                             : task.taps == kUnrolledTaps ? kManyTaps
                                                          : kAnyTaps;
  const Parts kernels(last - first, tile_kernels(task.taps, row.vectors));
  const RowAhead ahead(task, first, kernels, row);
  for (int k = 0; k < kernels.parts; ++k) {
    const int low = kernels.begin(k), high = kernels.end(k);
    tiles.of[row.vectors - 1][high - low - 1](task, task.kernels + first + low, row.begin,
                                              row.count, row.how, ahead.of_part(k));
    done(high);
  }
}

// The same where weights lie in panels. Tiles of a panel are as even as they can be.
template <typename Done>
static void panels_in_turn(const Convolution& task, int first, int last, const TilesInARow& row,
                           const Done& done) {
  const int most = tile_kernels(kInPanels, row.vectors);
  const PanelRange panels(task, first, last);
  for (int low = first, high; low < last; low = high) {
    const int panel = task.kernels[low] / kLanes;
    const int end = smaller_of(last, low + kLanes - task.kernels[low] % kLanes);
    high = low + Parts(end - low, most).end(0);
    kPanels.of[row.vectors - 1][high - low - 1](task, task.kernels + low, row.begin, row.count,
                                                row.how, panels.ahead_of(panel, row.after));
    done(high - first);
  }
}

// Kernels [first, last) on whole tiles of pixels [begin, end); done(high) after every tile of
// kernels of the last pixels, while its weights are near.
template <typename Done>
static void convolve_tiles(const Convolution& task, int first, int last, int begin, int end,
                           const Done& done) {
  const Finish how = finish_of(task);
  const Parts vectors((end - begin) / kVector,
                      tile_vectors(task.in_panels ? kInPanels : task.taps));
  for (int v = 0, from = 0; v < vectors.parts;) {
    const int size = vectors.end(v) - from;
    const int inputs = larger_of(1, task.channels) * size * PDRT_VECTOR_BYTES;
    const Parts rows(vectors.alike(v), larger_of(1, kNearBytes / inputs));
    const int count = rows.end(0);
    v += count;
    const bool last_pixels = v == vectors.parts;
    const float* const after = last_pixels ? task.next_weights : nullptr;
    const TilesInARow row{size, begin + from * kVector, count, how, last_pixels, after};
    const auto done_here = [&](int high) {
      if (last_pixels) done(high);
    };
    if (task.in_panels) {
      panels_in_turn(task, first, last, row, done_here);
    } else {
      kernels_in_turn(task, first, last, row, done_here);
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
    const int rows = task.in_panels ? kLanes : Leftover::kRows;
    const int count = high == last - first ? high - done : (high - done) / rows * rows;
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
  if (task.past_caches) stored_past_caches();
}

}  // namespace pdrt::cpu::PDRT_ISA
