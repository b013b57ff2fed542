// Winograd's F(4 x 4, 3 x 3) with kernels in lanes, for maps of four tiles at most: taps are
// transformed as they are read, a quarter of what their transformed weights would take.
//
// G is used without its factors, 1/4, -1/6, -1/6, 1/24, 1/24 and 1 for its rows, which patches are
// multiplied by instead. Then so little is done for a row of weights that it pays to do so again
// wherever it is needed.
#include "cpu/isa/ask.h"
#include "cpu/isa/functions.h"
#include "cpu/isa/tile_ends.h"
#include "cpu/isa/winograd_gather.h"

namespace pdrt::cpu::PDRT_ISA {

constexpr int kTile = kTileInLanes, kSide = kTile + 2, kHalfSide = kSide / 2,
              kPositions = kSide * kSide, kTiles = kTilesInLanes;
// Sums in registers at once: half of a row of positions of all tiles, for two vectors of kernels.
constexpr int kSums = kHalfSide * kTiles, kAtOnce = 2 * kVector;
// Inputs that take turns: their taps and all sums share a first-level cache, or nearly.
constexpr int kInputs = 20;
// Rows and columns of pixels that patches of two tiles reach.
constexpr int kReach = 2 * kTile + 2;

// Row kRow of G g, of a vector of kernels.
template <int kRow>
PDRT_INLINE void transform_columns(const float* taps, Floats (&row)[3]) {
  unrolled<3>([&](int j) PDRT_LAMBDA {
    const Floats first = load(taps + j * kInLanes), third = load(taps + (6 + j) * kInLanes);
    if constexpr (kRow == 0) {
      row[j] = first;
    } else if constexpr (kRow == kSide - 1) {
      row[j] = third;
    } else {
      const Floats second = load(taps + (3 + j) * kInLanes);
      const Floats ends = kRow < 3 ? first + third : first + splat(4) * third;
      const Floats middle = kRow < 3 ? second : second + second;
      row[j] = kRow % 2 == 1 ? ends + middle : ends - middle;
    }
  });
}

// Adds the products of `count` inputs, one at least, at half kHalf of row kRow of the positions.
template <int kRow, int kHalf>
PDRT_INLINE void add_half(const float* const* taps, const float* patches, int count,
                          const float* const* ahead, float* sums) {
  Floats s[2][kSums];
  unrolled<2 * kSums>([&](int i)
                          PDRT_LAMBDA { s[i / kSums][i % kSums] = load(sums + i * kVector); });
  do {
    Floats weights[2][kHalfSide];
    unrolled<2>([&](int v) PDRT_LAMBDA {
      Floats row[3];
      transform_columns<kRow>(*taps + v * kVector, row);
      if constexpr (kHalf == 0) {
        const Floats ends = row[0] + row[2];
        weights[v][0] = row[0];
        weights[v][1] = ends + row[1];
        weights[v][2] = ends - row[1];
      } else {
        const Floats outer = row[0] + splat(4) * row[2], twice = row[1] + row[1];
        weights[v][0] = outer + twice;
        weights[v][1] = outer - twice;
        weights[v][2] = row[2];
      }
    });
    unrolled<kSums>([&](int i) PDRT_LAMBDA {
      const Floats patch = held(splat(patches[i]));
      s[0][i] += weights[0][i / kTiles] * patch;
      s[1][i] += weights[1][i / kTiles] * patch;
    });
    // Of the taps that come next, 18 lines of each input in twelve halves.
    Fetch<Cache::first_level>()(*ahead + (3 * kRow + kHalf) * kLanes);
    if constexpr (kHalf == 1) Fetch<Cache::first_level>()(*ahead + (3 * kRow + 2) * kLanes);
    ++ahead;
    ++taps;
    patches += kPatchInLanes;
  } while (--count > 0);
  unrolled<2 * kSums>([&](int i)
                          PDRT_LAMBDA { store(sums + i * kVector, s[i / kSums][i % kSums]); });
}

// Sums of kAtOnce kernels: [row][half of it][vector of kernels][column][tile].
struct Sums {
  alignas(64) float floats[kSide][2][2][kSums][kVector] = {};

  Floats at(int v, int i, int j, int tile) const {
    return load(floats[i][j / kHalfSide][v][j % kHalfSide * kTiles + tile]);
  }
};

template <int kRow>
static void add_row(const float* const* taps, const float* patches, int count,
                    const float* const* ahead, Sums& sums) {
  patches += kRow * 2 * kSums;
  add_half<kRow, 0>(taps, patches, count, ahead, sums.floats[kRow][0][0][0]);
  add_half<kRow, 1>(taps, patches + kSums, count, ahead, sums.floats[kRow][1][0][0]);
}

// Of lanes [first, first + kAtOnce) of a panel.
static void add_products(const KernelsInLanes& task, const float* panel, const float* next,
                         int first, Sums& sums) {
  const Convolution& of = task.of;
  constexpr std::int64_t kRow = 9 * kInLanes;
  for (int from = 0; from < of.channels; from += kInputs) {
    const int count = smaller_of(kInputs, of.channels - from);
    const float* taps[kInputs];
    const float* ahead[kInputs];
    for (int c = 0; c < count; ++c) {
      const int later = from + count + c;
      taps[c] = panel + of.channel[from + c] * kRow + first;
      ahead[c] =
          later < of.channels ? panel + of.channel[later] * kRow : next + of.channel[c] * kRow;
    }
    const float* const patches = task.patches + std::int64_t{from} * kPatchInLanes;
    add_row<0>(taps, patches, count, ahead, sums);
    add_row<1>(taps, patches, count, ahead, sums);
    add_row<2>(taps, patches, count, ahead, sums);
    add_row<3>(taps, patches, count, ahead, sums);
    add_row<4>(taps, patches, count, ahead, sums);
    add_row<5>(taps, patches, count, ahead, sums);
  }
}

template <int kFloats>
struct Width {
  static constexpr int value = kFloats;
};

// v[i][j] to v[j][i].
PDRT_INLINE void transpose(Floats (&v)[kVector]) {
  const auto step = [&](auto width) PDRT_LAMBDA {
    constexpr int kWidth = decltype(width)::value;
    if constexpr (kWidth < kVector) {
      unrolled<kVector>([&](int i) PDRT_LAMBDA {
        if ((i & kWidth) != 0) return;
        const Floats x = v[i], y = v[i + kWidth];
        v[i] = pick<PiecesInTurn<2 * kWidth, kWidth, 0>>(x, y);
        v[i + kWidth] = pick<PiecesInTurn<2 * kWidth, kWidth, 1>>(x, y);
      });
    }
  };
  step(Width<1>());
  step(Width<2>());
  step(Width<4>());
  step(Width<8>());
}

// Pixels of a map of two tiles by two, a vector of planes each.
using Pixels = float[2 * kTile][2 * kTile][kVector];

PDRT_INLINE void transform_tile(const Sums& sums, int v, int tile, int across, Floats bias,
                                Pixels& pixels) {
  const int top = tile / across * kTile, left = tile % across * kTile;
  along_both_axes<kSide, kTile>(
      [](const auto& from, auto& to) PDRT_LAMBDA { transform_sums(from, to); },
      [&](int i, int j) PDRT_LAMBDA { return sums.at(v, i, j, tile); },
      [&](int i, int j, Floats result)
          PDRT_LAMBDA { store(pixels[top + i][left + j], result + bias); });
}

// Planes of the kernels at `position` of the list, `count` of a vector.
static void finish_planes(const KernelsInLanes& task, const Pixels& pixels, int position,
                          int count) {
  constexpr int kAtATime = 64;
  const Convolution& of = task.of;
  const Plane& plane = *of.plane;
  const std::int32_t* const kernels = of.kernels + position;
  bool seen[kVector] = {};
  for (int begin = 0; begin < plane.flat; begin += kAtATime) {
    const int end = smaller_of(plane.flat, begin + kAtATime);
    alignas(64) float values[kVector][kAtATime];
    for (int from = begin; from < end; from += kVector) {
      Floats block[kVector];
      for (int i = 0; i < kVector; ++i) {
        const int y = (from + i) / plane.row, x = (from + i) % plane.row;
        block[i] = y < plane.height && x < plane.width ? load(pixels[y][x]) : Floats{};
      }
      transpose(block);
      for (int i = 0; i < count; ++i) store(values[i] + from - begin, block[i]);
    }
    for (int i = 0; i < count; ++i) {
      const bool any = finish(of.epilogue, kernels[i], values[i], output_of(of, kernels + i),
                              plane.mask, begin, end);
      seen[i] = seen[i] || any;
    }
  }
  for (int i = 0; i < count; ++i) {
    const int k = kernels[i];
    if (seen[i] && of.nonzero != nullptr) mark(of.nonzero, k);
    if (of.lane_sums != nullptr)
      add_to_lanes(output_of(of, kernels + i), plane.flat, of.lane_sums + std::int64_t{k} * kLanes);
  }
}

void kernels_in_lanes(const KernelsInLanes& task, int panel) noexcept {
  const Convolution& of = task.of;
  const std::int64_t size = of.weights_row * kInLanes;
  const float* const weights = of.weights + panel * size;
  const int begin = panel * kInLanes, end = smaller_of(of.kernel_count, begin + kInLanes);
  for (int first = begin; first < end; first += kAtOnce) {
    Sums sums;
    // The last panel asks for its own beginning, which costs nothing.
    add_products(task, weights, end < of.kernel_count ? weights + size : weights, first - begin,
                 sums);
    for (int v = 0; v < 2; ++v) {
      const int position = first + v * kVector, count = smaller_of(kVector, end - position);
      if (count <= 0) break;
      Floats bias = {};
      for (int i = 0; i < count && of.bias != nullptr; ++i)
        bias[i] = of.bias[of.kernels[position + i]];
      alignas(64) Pixels pixels;
      for (int tile = 0; tile < task.map.tiles_x * task.map.rows; ++tile)
        transform_tile(sums, v, tile, task.map.tiles_x, bias, pixels);
      finish_planes(task, pixels, position, count);
    }
  }
}

// Planes of a vector of inputs, with a border of zeros: [row][column], from what the first patch
// reads on.
using Inputs = float[kReach][kReach][kVector];

static void load_inputs(const WinogradMap& map, const float* const* inputs, int count, Inputs& to) {
  const Plane& plane = *map.plane;
  for (int y = 0; y < plane.height && y + map.pad_top < kReach; ++y) {
    const int begin = y * plane.row;
    for (int x = 0; x < plane.width; x += kVector) {
      const int width = smaller_of(kVector, plane.width - x);
      Floats columns[kVector] = {};
      for (int i = 0; i < count; ++i) {
        const float* const from = inputs[i] + begin + x;
        if (begin + x + kVector <= plane.flat) {
          columns[i] = load(from);
        } else {
          std::memcpy(&columns[i], from, sizeof(float) * width);
        }
      }
      transpose(columns);
      for (int j = 0; j < width && x + j + map.pad_left < kReach; ++j)
        store(to[y + map.pad_top][x + j + map.pad_left], columns[j]);
    }
  }
}

// At most a vector of inputs.
static void transform_inputs(const WinogradMap& map, const Inputs& inputs, int count, float* out) {
  static constexpr float kFactors[kSide] = {0.25f,     -1.0f / 6, -1.0f / 6,
                                            1.0f / 24, 1.0f / 24, 1.0f};
  alignas(64) float patches[kPatchInLanes][kVector] = {};
  for (int tile = 0; tile < map.rows * map.tiles_x; ++tile) {
    const int top = tile / map.tiles_x * kTile, left = tile % map.tiles_x * kTile;
    along_both_axes<kSide, kSide>(
        [](const auto& from, auto& to) PDRT_LAMBDA { transform_input(from, to); },
        [&](int i, int j) PDRT_LAMBDA { return load(inputs[top + i][left + j]); },
        [&](int i, int j, Floats patch) PDRT_LAMBDA {
          store(patches[(i * kSide + j) * kTiles + tile], splat(kFactors[i] * kFactors[j]) * patch);
        });
  }
  for (int from = 0; from < kPatchInLanes; from += kVector) {
    Floats block[kVector];
    unrolled<kVector>([&](int i) PDRT_LAMBDA { block[i] = load(patches[from + i]); });
    transpose(block);
    for (int i = 0; i < count; ++i) store(out + i * kPatchInLanes + from, block[i]);
  }
}

void patches_in_lanes(const WinogradMap& map, const float* const* inputs, int count,
                      float* out) noexcept {
  alignas(64) Inputs planes = {};
  for (int first = 0; first < count; first += kVector) {
    const int now = smaller_of(kVector, count - first);
    load_inputs(map, inputs + first, now, planes);
    transform_inputs(map, planes, now, out + std::int64_t{first} * kPatchInLanes);
  }
}

void taps_in_lanes(const float* taps, std::int64_t kernel_stride, int kernels, int channels,
                   float* out) noexcept {
  for (int c = 0; c < channels; ++c) {
    for (int first = 0; first < kInLanes; first += kVector) {
      // Of filters that are not, or behind which there may be nothing to read.
      float copies[kVector][kReadable] = {};
      const float* filters[kVector];
      for (int i = 0; i < kVector; ++i) {
        filters[i] = copies[i];
        if (first + i >= kernels) continue;
        const float* const filter = taps + (first + i) * kernel_stride + std::int64_t{9} * c;
        if (c + 1 < channels) {
          filters[i] = filter;
        } else {
          std::memcpy(copies[i], filter, 9 * sizeof(float));
        }
      }
      Floats gathered[9];
      gather_taps(filters, gathered);
      unrolled<9>([&](int i) PDRT_LAMBDA {
        store(out + (std::int64_t{9} * c + i) * kInLanes + first, gathered[i]);
      });
    }
  }
}

}  // namespace pdrt::cpu::PDRT_ISA
