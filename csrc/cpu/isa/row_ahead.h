// Rows of tiles of a convolution, and what each of them asks for ahead.
#pragma once

#include "cpu/isa/next_tile.h"
#include "cpu/isa/tile_ends.h"

namespace pdrt::cpu::PDRT_ISA {

// Cuts `count` into as few parts of at most `most` as there can be, as even as they can be, the
// larger ones first: the end of part `index`.
struct Parts {
  int parts, each, larger;  // the least that a part has, and how many have one more
  Parts(int count, int most)
      : parts((count + most - 1) / most),
        each(parts > 0 ? count / parts : 0),
        larger(count - each * parts) {}
  int begin(int index) const { return each * index + smaller_of(index, larger); }
  int end(int index) const { return begin(index + 1); }
  // From `index` on: how many are as large.
  int alike(int index) const { return (index < larger ? larger : parts) - index; }
};

// Tiles of the same kernels, one behind the other.
struct TilesInARow {
  int vectors;  // of one tile
  int begin;    // pixel
  int count;
  Finish how;
  bool last;           // of the pixels; with other kernels it is the end
  const float* after;  // the weights that come after those for all kernels

  int pixels() const { return count * vectors * kVector; }
};

// What a core waits for memory, and a little more: cycles of multiply-adds.
constexpr int kCyclesAhead = 700;

// What tiles of the kernels from `first` on ask for, which pass the same pixels part by part.
class RowAhead {
 public:
  RowAhead(const Convolution& task, int first, const Parts& kernels, const TilesInARow& row)
      : task_(task),
        first_(first),
        kernels_(kernels),
        row_(row),
        most_(kernels.end(0)),
        inputs_(larger_of(1, task.channels) * row.count),
        by_one_(task.weights_row, most_, inputs_),
        by_four_(task.weights_row, most_, inputs_ / kInputsAtOnce) {
    const std::int64_t cycles = std::int64_t{inputs_} * task.taps * most_ * row.vectors / 2;
    tiles_ahead_ = 1 + static_cast<int>(kCyclesAhead / (1 + cycles));
    if (kLinesAtOnce == 0 || row.vectors == 1) return;
    if (task.in_order && is_sparse(task)) cache_ = Cache::second_level;
    if (cache_ == Cache::second_level) find_places();
  }

  Next of_part(int k) const {
    const int size = kernels_.end(k) - kernels_.begin(k), coming = k + tiles_ahead_;
    // The last tiles ask for what comes after this call; if that is not known, for their own
    // weights again, which costs nothing.
    Next next{task_.weights, rows_of(k, size), by_one_, by_four_, cache_};
    const bool other_pixels = coming >= kernels_.parts;
    if (!other_pixels) {
      next.kernels = rows_of(coming, size);
    } else if (row_.after != nullptr || outputs_) {
      next.kernels = rows_of(smaller_of(coming - kernels_.parts, kernels_.parts - 1), size);
    }
    if (other_pixels && row_.after != nullptr) next.weights = row_.after;
    if (outputs_ && !(other_pixels && row_.last)) {
      next.outputs = task_.output + row_.begin + (other_pixels ? row_.pixels() : 0);
      next.outputs_stride = task_.plane->stride;
      next.floats = row_.pixels();
    }
    if (pixels_) {
      const int begin = share_of_inputs(k);
      next.inputs = task_.inputs + begin;
      next.inputs_count = share_of_inputs(k + 1) - begin;
      next.inputs_offset = std::int64_t{row_.begin} + row_.pixels() + task_.offsets[0];
    }
    return next;
  }

 private:
  // Whether there are turns left, behind the weights, to ask for the places of results, and of the
  // pixels that come next.
  void find_places() {
    outputs_ = !task_.in_order;  // those in order are Winograd's sums, and near
    if (task_.taps != 1) return;
    const int lines = row_.pixels() / kLanes;  // of one plane
    const std::int64_t weights = most_ * ((task_.weights_row + kLanes - 1) / kLanes);
    std::int64_t left = std::int64_t{kLinesAtOnce} * inputs_ - weights;
    outputs_ = outputs_ && 2 * left >= most_ * lines;
    by_one_.step = larger_of(by_one_.step, (outputs_ ? kLinesAtOnce : 1) * kLanes);
    left -= most_ * lines;
    pixels_ =
        outputs_ && !row_.last && task_.channels > 0 && 2 * left >= share_of_inputs(1) * lines;
  }

  // Whether few weights of each row of Winograd's products are read, and all together are more than
  // a second-level cache holds: it has these sooner on Zen 5, too, see bench/NOTES.md.
  static bool is_sparse(const Convolution& task) {
    constexpr int kSparse = 40, kFar = 128;  // percent of the inputs; inputs
    return task.weights_row >= kFar &&
           std::int64_t{100} * task.channels <= kSparse * task.weights_row;
  }

  // Where the inputs begin whose next pixels part k asks for.
  int share_of_inputs(int k) const {
    return static_cast<int>(std::int64_t{task_.channels} * k / kernels_.parts);
  }

  // Where `size` rows from part k on are in the list.
  const std::int32_t* rows_of(int k, int size) const {
    const int count = kernels_.end(kernels_.parts - 1);
    return task_.kernels + first_ + smaller_of(kernels_.begin(k), count - size);
  }

  const Convolution& task_;
  const int first_;
  const Parts& kernels_;
  const TilesInARow& row_;
  const int most_, inputs_;
  Pace by_one_, by_four_;
  Cache cache_ = cache_to_ask();
  int tiles_ahead_;
  bool outputs_ = false, pixels_ = false;
};

}  // namespace pdrt::cpu::PDRT_ISA
