// Phases: one input plane taken apart, so that the taps of a convolution become plain offsets.
#include "cpu/isa/functions.h"

namespace pdrt::cpu::PDRT_ISA {

// Rows that hold input: `count` floats each, then zeros until the next row's.
struct Rows {
  const float* from;
  float* to;
  int rows;
  int count;
  std::int64_t from_step;  // floats from one row to the next
  std::int64_t to_step;
};

// Zeros in [from, to).
static void clear(float* from, float* to) {
  const std::ptrdiff_t count = to - from;
  if (count < kVector) {
    for (std::ptrdiff_t i = 0; i < count; ++i) from[i] = 0;
    return;
  }
  for (; from + kVector <= to; from += kVector) store(from, Floats{});
  store(to - kVector, Floats{});
}

// to[c] = from[c * stride] for c < count, and nothing else read or written.
static void copy_exactly(const float* from, int stride, float* to, std::int64_t count) {
  for (std::int64_t c = 0; c < count; ++c) to[c] = from[c * stride];
}

// The zeros behind a row.
PDRT_INLINE void end_row(const Rows& task, float* to) {
  const std::int64_t zeros = task.to_step - task.count;
  if (zeros > 2) return clear(to + task.count, to + task.to_step);
  if (zeros > 0) to[task.count] = to[task.to_step - 1] = 0;
}

// Rows in both planes one after another alike: all of them in one go, then the zeros between them.
static void copy_flat(const Rows& task) {
  const std::int64_t count = (task.rows - 1) * task.to_step + task.count;
  if (count < kVector) {
    copy_exactly(task.from, 1, task.to, count);
  } else {
    store(task.to, load(task.from));
    const std::size_t misaligned = reinterpret_cast<std::uintptr_t>(task.to) % PDRT_VECTOR_BYTES;
    std::int64_t c = kVector - static_cast<std::int64_t>(misaligned / sizeof(float));
    for (; c + kVector <= count; c += kVector) store(task.to + c, load(task.from + c));
    store(task.to + count - kVector, load(task.from + count - kVector));
  }
  for (int row = 0; row + 1 < task.rows; ++row) end_row(task, task.to + row * task.to_step);
}

// Reads in front of in_end alone, writes in front of out_end alone. Whole vectors, as long as there
// is room for them: what one row writes past its end, the next one writes again.
template <int kStride>
static void copy_rows(const Rows& task, const float* in_end, float* out_end) {
  const float* from = task.from;
  float* to = task.to;
  const int copied = (task.count + kVector - 1) / kVector * kVector;
  const std::int64_t written = copied > task.to_step ? copied : task.to_step;
  int row = 0;
  for (; row < task.rows && in_end - from >= copied * kStride && out_end - to >= written; ++row) {
    for (int c = 0; c < copied; c += kVector) {
      store(to + c, kStride == 1 ? load(from + c)
                                 : evens(load(from + 2 * c), load(from + 2 * c + kVector)));
    }
    end_row(task, to);
    from += task.from_step;
    to += task.to_step;
  }
  for (; row < task.rows; ++row) {
    copy_exactly(from, kStride, to, task.count);
    if (row + 1 < task.rows) end_row(task, to);
    from += task.from_step;
    to += task.to_step;
  }
}

static void copy_rows(const Rows& task, int stride) {
  for (int row = 0; row < task.rows; ++row) {
    float* to = task.to + row * task.to_step;
    copy_exactly(task.from + row * task.from_step, stride, to, task.count);
    if (row + 1 < task.rows) end_row(task, to);
  }
}

void split(const Phases& task, const float* in, const Plane& in_plane, float* out) noexcept {
  const float* in_end = in + in_plane.stride - in_plane.lead;
  for (int p = 0; p < task.phase_count; ++p) {
    const Phase& phase = task.phases[p];
    float* origin = out + static_cast<std::int64_t>(p) * task.phase_stride;
    float* begin = origin - task.lead;
    float* end = begin + task.phase_stride;
    if (phase.row0 >= phase.row1 || phase.col0 >= phase.col1) {
      clear(begin, end);
      continue;
    }
    const std::int64_t y = static_cast<std::int64_t>(phase.row0) * task.stride_h + phase.row;
    const std::int64_t x = static_cast<std::int64_t>(phase.col0) * task.stride_w + phase.column;
    Rows rows;
    rows.from = in + y * in_plane.row + x;
    rows.to = origin + static_cast<std::int64_t>(phase.row0) * task.row + phase.col0;
    rows.rows = phase.row1 - phase.row0;
    rows.count = phase.col1 - phase.col0;
    rows.from_step = static_cast<std::int64_t>(task.stride_h) * in_plane.row;
    rows.to_step = task.row;
    clear(begin, rows.to);
    if (task.stride_w == 1 && rows.from_step == rows.to_step) {
      copy_flat(rows);
    } else if (task.stride_w == 1) {
      copy_rows<1>(rows, in_end, end);
    } else if (task.stride_w == 2) {
      copy_rows<2>(rows, in_end, end);
    } else {
      copy_rows(rows, task.stride_w);
    }
    clear(rows.to + (rows.rows - 1) * rows.to_step + rows.count, end);
  }
}

}  // namespace pdrt::cpu::PDRT_ISA
