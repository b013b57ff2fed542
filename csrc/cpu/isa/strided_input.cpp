// Winograd for 7x7 filters of stride 2: patches of input pixels to positions of every phase. Along
// the rows first, with shuffles, into lines of tiles; then along the columns, where tile number t
// of any map is simply lane t.
#include "cpu/isa/shuffles.h"
#include "cpu/isa/winograd.h"

namespace pdrt::cpu::PDRT_ISA {

// A tile's rows and columns of input pixels, and as many more as its patch reaches into the next
// tile's. Of the patch, phase 0 reads every second one from the first on, phase 1 from the second.
constexpr int kStep = 2 * kStridedTile, kBeyond = kStridedFilter - 2;

// The lines: transformed column j of phase p of pixel row r is line (p, j, r % kStep), from r /
// kStep * tiles_x on. Row i of phase q of tile t's patch is then row 2 i + q of its tile: at
// [t + (2 i + q) / kStep * tiles_x] of line (p, j, (2 i + q) % kStep).
struct Lines {
  float* floats;
  std::int64_t length;

  float* line(int phase, int j, int row) const {
    return floats + ((phase * kStridedSide + j) * kStep + row) * length;
  }
};

// The patch of a phase among kStep + kBeyond rows or columns. The second phase has three taps: what
// its fourth would read is multiplied by zero.
template <int kPhase>
PDRT_INLINE void take_phase(const Floats (&all)[kStep + kBeyond], Floats (&patch)[kStridedSide]) {
  unrolled<kStridedSide - kPhase>([&](int i) PDRT_LAMBDA { patch[i] = all[2 * i + kPhase]; });
  if constexpr (kPhase == 1) patch[kStridedSide - 1] = Floats{};
}

// One row of pixels, `row` at the first column a patch reads: columns that do not exist are masked.
static void transform_row(const WinogradMap& map, const float* row, int number,
                          const Lines& lines) {
  const std::int64_t at = static_cast<std::int64_t>(number / kStep) * map.tiles_x;
  const std::int64_t step = lines.line(0, 1, 0) - lines.line(0, 0, 0);
  for (int x = 0; x < map.tiles_x; x += kVector) {
    const float* from = row + kStep * x;
    const std::uint32_t* exists = map.columns + kStep * x;
    Floats pixels[kStep], own[kStep], all[kStep + kBeyond];
    unrolled<kStep>([&](int i) PDRT_LAMBDA {
      pixels[i] = floats(bits(load(from + i * kVector)) & load(exists + i * kVector));
    });
    deinterleave(pixels, own);
    unrolled<kStep>([&](int i) PDRT_LAMBDA { all[i] = own[i]; });
    unrolled<kBeyond>([&](int i) PDRT_LAMBDA {
      all[kStep + i] = shifted(own[i], existing(from, exists, kStep * kVector + i));
    });
    const auto transform = [&](auto phase) PDRT_LAMBDA {
      Floats patch[kStridedSide], transformed[kStridedSide];
      take_phase<phase>(all, patch);
      transform_input(patch, transformed);
      float* const to = lines.line(phase, 0, number % kStep) + at + x;
      unrolled<kStridedSide>([&](int j) PDRT_LAMBDA { store(to + j * step, transformed[j]); });
    };
    transform(std::integral_constant<int, 0>{});
    transform(std::integral_constant<int, 1>{});
  }
}

static void transform_rows(const WinogradMap& map, const float* in, const Lines& lines) {
  const Plane& plane = *map.plane;
  const int reach = (map.tiles_x + kVector - 1) / kVector * kVector * kStep + kBeyond;
  const float* const end =
      in + static_cast<std::int64_t>(plane.height - 1) * plane.row + plane.width;
  for (int r = 0; r < kStep * map.rows + kBeyond; ++r) {
    const int y = kStep * map.first_row + r - map.pad_top;
    // What vectors would read that is not the plane's is copied around, and rows that are none are
    // zeros.
    float copy[kWinogradColumns];
    const float* row = in + static_cast<std::int64_t>(y) * plane.row - map.pad_left;
    const bool exists = y >= 0 && y < plane.height;
    if (!exists || row < in || row + reach > end) {
      for (int x = 0; x < reach; ++x) copy[x] = exists && map.columns[x] != 0 ? row[x] : 0.0f;
      row = copy;
    }
    transform_row(map, row, r, lines);
  }
}

template <int kPhase>
PDRT_INLINE void transform_columns(const WinogradMap& map, int column_phase, const Lines& lines,
                                   float* out, std::int64_t position_stride) {
  const int tiles = map.rows * map.tiles_x;
  for (int j = 0; j < kStridedSide; ++j) {
    for (int tile = 0; tile < tiles; tile += kVector) {
      Floats patch[kStridedSide], transformed[kStridedSide];
      unrolled<kStridedSide - kPhase>([&](int i) PDRT_LAMBDA {
        const int row = 2 * i + kPhase;
        patch[i] =
            held(load(lines.line(column_phase, j, row % kStep) + row / kStep * map.tiles_x + tile));
      });
      if constexpr (kPhase == 1) patch[kStridedSide - 1] = Floats{};
      transform_input(patch, transformed);
      unrolled<kStridedSide>([&](int i) PDRT_LAMBDA {
        store(out + (i * kStridedSide + j) * position_stride + tile, transformed[i]);
      });
    }
  }
}

void strided_input(const WinogradMap& map, const float* in, float* out, std::int64_t tiles,
                   std::int64_t position_stride, float* scratch) noexcept {
  const Lines lines{scratch, winograd_line(map.rows, map.tiles_x)};
  // What the last vectors read behind the last tile: any number will do, but it must be one.
  const std::int64_t behind = map.rows * map.tiles_x / kVector * kVector;
  for (int line = 0; line < 2 * kStridedSide * kStep; ++line) {
    float* const floats = lines.floats + line * lines.length;
    for (std::int64_t i = behind; i < lines.length; i += kVector) store(floats + i, Floats{});
  }
  transform_rows(map, in, lines);
  for (int phase = 0; phase < 2; ++phase) {
    transform_columns<0>(map, phase, lines, out + phase * tiles, position_stride);
    transform_columns<1>(map, phase, lines, out + (2 + phase) * tiles, position_stride);
  }
}

}  // namespace pdrt::cpu::PDRT_ISA
