// Convolution: a tile of kernels x vectors of pixels in registers, over all taps of the active
// inputs.
#include "cpu/isa/functions.h"

namespace pdrt::cpu::PDRT_ISA {

// Kernels and vectors of a full tile: sums, the vectors of one tap and a weight must fit the
// registers.
#if PDRT_VECTOR_BYTES == 64
constexpr int kTileKernels = 6, kTileVectors = 4;  // of 32 registers
#elif PDRT_VECTOR_BYTES == 32
constexpr int kTileKernels = 6, kTileVectors = 2;  // of 16
#elif defined(__aarch64__)
constexpr int kTileKernels = 6, kTileVectors = 4;  // of 32
#else
constexpr int kTileKernels = 4,
              kTileVectors = 2;  // of 16, with a product beside the sums where there is no FMA
#endif

// How a tile ends.
enum class Finish {
  plain,    // mask, store
  relu,     // relu, mask, store
  general,  // any epilogue: through a buffer on the stack
};

template <int kKernels, int kVectors>
PDRT_INLINE void finish_tile(const Convolution& task, const std::int32_t* kernels, int begin,
                             Finish how, Floats (&sums)[kKernels][kVectors]) {
  const Plane& plane = *task.plane;
  if (how == Finish::general) {
    alignas(64) float values[kKernels][kVectors * kVector];
    unrolled<kKernels>([&](int i) PDRT_LAMBDA {
      unrolled<kVectors>([&](int j) PDRT_LAMBDA { store(values[i] + j * kVector, sums[i][j]); });
    });
    for (int i = 0; i < kKernels; ++i) {
      const int k = kernels[i];
      float* output = task.output + static_cast<std::int64_t>(k) * plane.stride;
      const bool seen = finish(task.epilogue, k, values[i], output, plane.mask, begin,
                               begin + kVectors * kVector);
      if (seen && task.nonzero != nullptr) mark(task.nonzero, k);
    }
    return;
  }
  Words mask[kVectors];
  unrolled<kVectors>([&](int j) PDRT_LAMBDA { mask[j] = load(plane.mask + begin + j * kVector); });
  unrolled<kKernels>([&](int i) PDRT_LAMBDA {
    const int k = kernels[i];
    float* output = task.output + static_cast<std::int64_t>(k) * plane.stride + begin;
    Words seen = {};
    unrolled<kVectors>([&](int j) PDRT_LAMBDA {
      const Floats x = how == Finish::relu ? (sums[i][j] < 0 ? Floats{} : sums[i][j]) : sums[i][j];
      const Words kept = bits(x) & mask[j];
      seen |= kept;
      store(output + j * kVector, floats(kept));
    });
    if (task.nonzero != nullptr && any(seen & 0x7fffffff)) mark(task.nonzero, k);
  });
}

// kTaps is 0 where the number of taps is not known at build time.
template <int kKernels, int kVectors, int kTaps>
static void tile(const Convolution& task, const std::int32_t* kernels, int begin, Finish how) {
  const int taps = kTaps > 0 ? kTaps : task.taps;
  const float* weights[kKernels];
  Floats sums[kKernels][kVectors];
  unrolled<kKernels>([&](int i) PDRT_LAMBDA {
    weights[i] = task.weights + kernels[i] * task.weights_row;
    const Floats bias = splat(task.bias != nullptr ? task.bias[kernels[i]] : 0.0f);
    unrolled<kVectors>([&](int j) PDRT_LAMBDA { sums[i][j] = bias; });
  });
  for (int c = 0; c < task.channels; ++c) {
    const float* input = task.inputs[c] + begin;
    const std::int64_t column = static_cast<std::int64_t>(task.channel[c]) * taps;
#pragma GCC unroll 9
    for (int t = 0; t < taps; ++t) {
      const float* at = opaque(input + task.offsets[t]);
      Floats x[kVectors];
      unrolled<kVectors>([&](int j) PDRT_LAMBDA { x[j] = load(at + j * kVector); });
      unrolled<kKernels>([&](int i) PDRT_LAMBDA {
        const Floats weight = splat(weights[i][column + t]);
        unrolled<kVectors>([&](int j) PDRT_LAMBDA { sums[i][j] += weight * x[j]; });
        keep(weight);
      });
      unrolled<kVectors>([&](int j) PDRT_LAMBDA { keep(x[j]); });
    }
  }
  finish_tile(task, kernels, begin, how, sums);
}

using Tile = void (*)(const Convolution& task, const std::int32_t* kernels, int begin, Finish how);

// Every size of tile up to the full one, [kernels - 1][vectors - 1].
struct Tiles {
  Tile of[kTileKernels][kTileVectors];
};

template <int kTaps, int kKernels, int kVectors>
static constexpr void fill_in(Tiles& tiles) {
  tiles.of[kKernels - 1][kVectors - 1] = tile<kKernels, kVectors, kTaps>;
  if constexpr (kVectors > 1) {
    fill_in<kTaps, kKernels, kVectors - 1>(tiles);
  } else if constexpr (kKernels > 1) {
    fill_in<kTaps, kKernels - 1, kTileVectors>(tiles);
  }
}

template <int kTaps>
static constexpr Tiles all_tiles() {
  Tiles tiles{};
  fill_in<kTaps, kTileKernels, kTileVectors>(tiles);
  return tiles;
}

static constexpr Tiles kAnyTaps = all_tiles<0>();
static constexpr Tiles kOneTap = all_tiles<1>();
static constexpr Tiles kNineTaps = all_tiles<9>();

static Finish finish_of(const Epilogue& epilogue) {
  if (epilogue.count == 0) return Finish::plain;
  if (epilogue.count == 1 && epilogue.stages[0].stage == Stage::relu) return Finish::relu;
  return Finish::general;
}

// Cuts `count` into as few parts of at most `most` as there can be, as even as they can be: the end
// of part `index`.
struct Parts {
  int count, parts;
  Parts(int count, int most) : count(count), parts((count + most - 1) / most) {}
  int end(int index) const {
    return static_cast<int>(static_cast<std::int64_t>(count) * (index + 1) / parts);
  }
};

void convolve(const Convolution& task, int first, int last, int begin, int end) noexcept {
  const Tiles& tiles = task.taps == 1 ? kOneTap : task.taps == 9 ? kNineTaps : kAnyTaps;
  const Finish how = finish_of(task.epilogue);
  const Parts vectors((end - begin) / kVector, kTileVectors);
  const Parts kernels(last - first, kTileKernels);
  for (int v = 0, from = 0; v < vectors.parts; ++v) {
    const int to = vectors.end(v);
    for (int k = 0, low = 0; k < kernels.parts; ++k) {
      const int high = kernels.end(k);
      tiles.of[high - low - 1][to - from - 1](task, task.kernels + first + low,
                                              begin + from * kVector, how);
      low = high;
    }
    from = to;
  }
}

}  // namespace pdrt::cpu::PDRT_ISA
