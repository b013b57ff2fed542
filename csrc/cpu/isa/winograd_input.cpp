// Winograd: patches of input pixels to positions. Along the rows first, with shuffles, into lines
// of tiles; then along the columns, where tile number t of any map is simply lane t.
#include "cpu/isa/ask.h"
#include "cpu/isa/short_rows.h"
#include "cpu/isa/shuffles.h"
#include "cpu/isa/winograd.h"

namespace pdrt::cpu::PDRT_ISA {

// The lines: transformed column j of pixel row r is line (j, r % kTile), from r / kTile * tiles_x
// on. Row i of tile t's patch is then at [t + i / kTile * tiles_x] of line (j, i % kTile).
template <int kTile>
struct Lines {
  alignas(64) float floats[kWinogradScratch];
  std::int64_t length;

  float* line(int j, int phase) { return floats + (j * kTile + phase) * length; }
};

// One row of pixels, `row` at the first column a patch reads: columns that do not exist are masked.
template <int kTile>
PDRT_INLINE void transform_row(const WinogradMap& map, const float* row, int phase, std::int64_t at,
                               Lines<kTile>& lines) {
  float* const to = lines.line(0, phase) + at;
  const std::int64_t step = lines.line(1, 0) - lines.line(0, 0);
  for (int x = 0; x < map.tiles_x; x += kVector) {
    const float* from = row + kTile * x;
    const std::uint32_t* exists = map.columns + kTile * x;
    Floats pixels[kTile], columns[kTile], patch[kTile + 2], transformed[kTile + 2];
    unrolled<kTile>([&](int i) PDRT_LAMBDA {
      const Words kept = bits(load(from + i * kVector)) & load(exists + i * kVector);
      pixels[i] = floats(kept);
    });
    deinterleave(pixels, columns);
    unrolled<kTile>([&](int j) PDRT_LAMBDA { patch[j] = columns[j]; });
    unrolled<2>([&](int j) PDRT_LAMBDA {
      patch[kTile + j] = shifted(columns[j], existing(from, exists, kTile * kVector + j));
    });
    transform_input(patch, transformed);
    unrolled<kTile + 2>([&](int j) PDRT_LAMBDA { store(to + j * step + x, transformed[j]); });
  }
}

// The same for a row whose vectors would read what is not the plane's.
template <int kTile>
static void transform_copied_row(const WinogradMap& map, const float* row, int phase,
                                 std::int64_t at, Lines<kTile>& lines) {
  float copy[kWinogradColumns];
  const int columns = (map.tiles_x + kLanes - 1) / kLanes * kLanes * kTile + kLanes;
  for (int x = 0; x < columns; ++x) copy[x] = map.columns[x] != 0 ? row[x] : 0.0f;
  transform_row<kTile>(map, copy, phase, at, lines);
}

// Where a channel's patches go: a piece of memory for every position. Asked for bit by bit, where
// those of all channels are more than a near cache holds: stores to so many pieces come slowly.
class Places {
 public:
  Places(const WinogradMap& map, const float* out, std::int64_t position_stride)
      : piece_(map.rows * map.tiles_x), stride_(position_stride), next_(out) {
    const int side = map.tile + 2, positions = side * side;
    const bool far = positions * stride_ * static_cast<std::int64_t>(sizeof(float)) > kFarBytes;
    const int lines = (piece_ + kLanes - 1) / kLanes;
    left_ = far && cache_to_ask() == Cache::second_level ? positions * lines : 0;
  }

  // A share of what is left, with so many shares to go. Always inlined, see next_tile.h.
  inline __attribute__((always_inline)) void ask(int shares) {
    const int until = left_ - left_ / shares;
    for (; left_ > until; --left_) {
      Fetch<Cache::second_level>()(next_ + at_);
      at_ += kLanes;
      if (at_ < piece_) continue;
      at_ = 0;
      next_ += stride_;
    }
  }

 private:
  static constexpr std::int64_t kFarBytes = 5 << 19;  // 2.5 MiB
  const int piece_;                                   // floats
  const std::int64_t stride_;
  const float* next_;  // piece
  int at_ = 0, left_;
};

// Pixels of planes larger than a first-level cache are asked for some rows ahead, and at the end
// those of the next channel: hardware alone takes twice as long to bring rows from memory.
class RowsAhead {
 public:
  // Of `rows` rows from every channel; `next` is the next channel's, or nullptr.
  RowsAhead(const WinogradMap& map, const float* in, const float* next, int rows)
      : row_(map.plane->row), rows_(rows), to_next_(next != nullptr ? next - in : 0) {
    if (map.plane->stride > kLeastPlane) ahead_ = larger_of(1, kFloatsAhead / row_);
  }

  // As row `number` begins, at `row`.
  inline __attribute__((always_inline)) void ask(const float* row, int number) const {
    if (ahead_ == 0) return;
    const bool here = number + ahead_ < rows_;
    if (!here && to_next_ == 0) return;
    const float* const at = row + (here ? 0 : to_next_) +
                            static_cast<std::int64_t>(here ? ahead_ : ahead_ - rows_) * row_;
    for (int i = 0; i < row_; i += kLanes) Fetch<Cache::second_level>()(at + i);
  }

 private:
  static constexpr int kLeastPlane = 8 * 1024, kFloatsAhead = 1792;  // floats
  const int row_, rows_;
  const std::int64_t to_next_;
  int ahead_ = 0;  // rows
};

template <int kTile>
static void transform_rows(const WinogradMap& map, const float* in, const float* next,
                           Places places, Lines<kTile>& lines) {
  const Plane& plane = *map.plane;
  const int reach = (map.tiles_x + kVector - 1) / kVector * kVector * kTile + 2;
  const float* const begin = in - plane.lead;
  const float* const end = begin + plane.stride;
  const int rows = kTile * map.rows + 2;
  const RowsAhead ahead(map, in, next, rows);
  for (int r = 0; r < rows; ++r) {
    places.ask(rows - r);
    const int y = kTile * map.first_row + r - map.pad_top, phase = r % kTile;
    const std::int64_t at = static_cast<std::int64_t>(r / kTile) * map.tiles_x;
    if (y < 0 || y >= plane.height) {
      unrolled<kTile + 2>([&](int j) PDRT_LAMBDA {
        for (int x = 0; x < map.tiles_x; x += kVector)
          store(lines.line(j, phase) + at + x, Floats{});
      });
      continue;
    }
    const float* row = in + static_cast<std::int64_t>(y) * plane.row - map.pad_left;
    ahead.ask(row, r);
    if (row >= begin && row + reach <= end) {
      transform_row<kTile>(map, row, phase, at, lines);
    } else {
      transform_copied_row<kTile>(map, row, phase, at, lines);
    }
  }
}

// The same where two rows of tiles fit one vector; false where they do not.
template <int kTile>
static bool transform_rows_by_twos(const WinogradMap& map, const float* in, Lines<kTile>& lines) {
  constexpr int kRows = 2;
  if constexpr (kVector < 8) {
    return false;
  } else {
    if (!ShortRows<kTile, kRows>::fit(map)) return false;
    const ShortRows<kTile, kRows> rows(map);
    for (int phase = 0; phase < kTile; ++phase) {
      const int count = map.rows + (phase < 2 ? 1 : 0);
      float* const to = lines.line(0, phase);
      const std::int64_t step = lines.line(1, 0) - lines.line(0, 0);
      for (int row = 0; row < count; row += kRows) {
        Floats transformed[kTile + 2];
        rows.transform(in, phase, row, count - row, transformed);
        unrolled<kTile + 2>([&](int j) PDRT_LAMBDA {
          store(to + j * step + static_cast<std::int64_t>(row) * map.tiles_x, transformed[j]);
        });
      }
    }
    return true;
  }
}

// All of a map whose tiles fit one vector.
template <int kTile, int kRows>
static void transform_vector(const WinogradMap& map, const float* in, float* out,
                             std::int64_t position_stride) {
  constexpr int kSide = kTile + 2;
  const ShortRows<kTile, kRows> rows(map);
  Floats lines[kSide][kSide];
  for (int i = 0; i < kSide; ++i) rows.transform(in, i, 0, map.rows, lines[i]);
  for (int j = 0; j < kSide; ++j) {
    Floats patch[kSide], transformed[kSide];
    unrolled<kSide>([&](int i) PDRT_LAMBDA { patch[i] = lines[i][j]; });
    transform_input(patch, transformed);
    unrolled<kSide>(
        [&](int i) PDRT_LAMBDA { store(out + (i * kSide + j) * position_stride, transformed[i]); });
  }
}

template <int kTile>
static void transform_columns(const WinogradMap& map, Lines<kTile>& lines, float* out,
                              std::int64_t position_stride) {
  constexpr int kSide = kTile + 2;
  const int tiles = map.rows * map.tiles_x;
  for (int j = 0; j < kSide; ++j) {
    for (int tile = 0; tile < tiles; tile += kVector) {
      Floats patch[kSide], transformed[kSide];
      unrolled<kSide>([&](int i) PDRT_LAMBDA {
        patch[i] = held(load(lines.line(j, i % kTile) + i / kTile * map.tiles_x + tile));
      });
      transform_input(patch, transformed);
      unrolled<kSide>([&](int i) PDRT_LAMBDA {
        store(out + (i * kSide + j) * position_stride + tile, transformed[i]);
      });
    }
  }
}

template <int kTile>
static void transform(const WinogradMap& map, const float* in, const float* next, float* out,
                      std::int64_t position_stride) {
  if constexpr (kVector == 16 && kTile < 6) {
    if (map.rows <= 4 && ShortRows<kTile, 4>::fit(map))
      return transform_vector<kTile, 4>(map, in, out, position_stride);
  }
  Lines<kTile> lines;
  const std::int64_t used = static_cast<std::int64_t>(map.rows + 1) * map.tiles_x;
  lines.length = winograd_line(map.rows, map.tiles_x);
  // What the last vectors read behind the last tile: any number will do, but it must be one.
  const std::int64_t behind = (used - map.tiles_x) / kVector * kVector;
  for (int line = 0; line < (kTile + 2) * kTile; ++line) {
    float* const floats = lines.floats + line * lines.length;
    for (std::int64_t i = behind; i < lines.length; i += kVector) store(floats + i, Floats{});
  }
  if (!transform_rows_by_twos<kTile>(map, in, lines))
    transform_rows<kTile>(map, in, next, Places(map, out, position_stride), lines);
  transform_columns<kTile>(map, lines, out, position_stride);
}

void winograd_input(const WinogradMap& map, const float* in, const float* next, float* out,
                    std::int64_t position_stride) noexcept {
  switch (map.tile) {
    case 2:
      return transform<2>(map, in, next, out, position_stride);
    case 4:
      return transform<4>(map, in, next, out, position_stride);
    default:
      return transform<6>(map, in, next, out, position_stride);
  }
}

}  // namespace pdrt::cpu::PDRT_ISA
