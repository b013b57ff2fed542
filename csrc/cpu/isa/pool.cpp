// Max and average pooling of one plane: rows are reduced first, into a line, then the line is
// reduced along the row.
#include "cpu/isa/pooling.h"

namespace pdrt::cpu::PDRT_ISA {

constexpr int kLine = 2048;    // floats of a reduced line
constexpr int kResults = 512;  // outputs made from one line

// Windows along one axis.
struct Axis {
  int kernel, stride, dilation, pad_before, pad_after, size;

  std::int64_t start(std::int64_t output) const { return output * stride - pad_before; }
  // Positions of the window that lie in [low, high).
  int count(int output, std::int64_t low, std::int64_t high) const {
    int inside = 0;
    for (std::int64_t i = 0; i < kernel; ++i) {
      const std::int64_t at = start(output) + i * dilation;
      inside += at >= low && at < high;
    }
    return inside;
  }
  // What an average divides by along this axis; 1 where there is nothing to average, so that the
  // result is 0.
  float divisor(int output, bool with_padding) const {
    const std::int64_t low = with_padding ? -static_cast<std::int64_t>(pad_before) : 0;
    const std::int64_t high = size + (with_padding ? static_cast<std::int64_t>(pad_after) : 0);
    return static_cast<float>(larger_of(1, count(output, low, high)));
  }
};

// kVector floats: `count` rows, `step` floats apart, combined from `in` on.
template <bool kMaximum>
PDRT_INLINE Floats combine_rows(const float* in, std::int64_t count, std::int64_t step) {
  Floats x = load(in);
  for (std::int64_t i = 1; i < count; ++i) x = combine<kMaximum>(x, load(in + i * step));
  return x;
}

// line[0 ... count) = the rows of the window of output row `oy` combined, from input column `x0`
// on; `neutral` outside the input. Writes less than a vector more.
template <bool kMaximum>
static void reduce_rows(const Axis& rows, int oy, const float* in, const Plane& plane,
                        std::int64_t x0, int count, float neutral, float* line) {
  // Rows [first, last) of the window lie inside the input, as do the columns from `left` to
  // `right`.
  const std::int64_t start = rows.start(oy);
  std::int64_t first = 0;
  while (first < rows.kernel && start + first * rows.dilation < 0) ++first;
  std::int64_t last = first;
  while (last < rows.kernel && start + last * rows.dilation < plane.height) ++last;
  const int left = static_cast<int>(x0 < 0 ? (-x0 < count ? -x0 : count) : 0);
  const int right = static_cast<int>(plane.width - x0 < count ? plane.width - x0 : count);
  const auto set_neutral = [=](int from, int to) {
    for (int i = from; i < to; i += kVector) store(line + i, splat(neutral));
  };
  if (first == last || left >= right) return set_neutral(0, count);

  set_neutral(0, left);
  const std::int64_t step = static_cast<std::int64_t>(rows.dilation) * plane.row;
  const std::int64_t at = (start + first * rows.dilation) * plane.row + x0;  // of line[0]
  const std::int64_t room =
      plane.flat - (at + (last - first - 1) * step);  // floats in the last row
  int x = left;
  for (; x < right && x + kVector <= room; x += kVector) {
    store(line + x, combine_rows<kMaximum>(in + (at + x), last - first, step));
  }
  for (; x < right; ++x) {
    float sum = in[at + x];
    for (std::int64_t i = 1; i < last - first; ++i) {
      sum = combine<kMaximum>(sum, in[at + x + i * step]);
    }
    line[x] = sum;
  }
  set_neutral(right, count);  // over what the last vector took from behind the row, too
}

// results[o] = the window of the line at o * stride, combined. May write up to a vector more than
// `count` results.
template <bool kMaximum>
static void reduce_line(const Axis& columns, const float* line, int count, float neutral,
                        float* results) {
  for (int o = 0; o < count; o += kVector) {
    Floats result = splat(neutral);
    for (int j = 0; j < columns.kernel; ++j) {
      const float* x =
          line + static_cast<std::ptrdiff_t>(o) * columns.stride + j * columns.dilation;
      Floats window;
      if (columns.stride == 1) {
        window = load(x);
      } else if (columns.stride == 2) {
        window = evens(load(x), load(x + kVector));
      } else {
        float lanes[kVector];
        for (int lane = 0; lane < kVector; ++lane) lanes[lane] = x[lane * columns.stride];
        window = load(lanes);
      }
      result = combine<kMaximum>(result, window);
    }
    store(results + o, result);
  }
}

// One output from all of its window, for windows too wide for a line.
template <bool kMaximum>
static float reduce_window(const Axis& rows, const Axis& columns, int oy, int ox, const float* in,
                           const Plane& plane, float neutral) {
  float result = neutral;
  for (std::int64_t i = 0; i < rows.kernel; ++i) {
    const std::int64_t y = rows.start(oy) + i * rows.dilation;
    if (y < 0 || y >= plane.height) continue;
    for (std::int64_t j = 0; j < columns.kernel; ++j) {
      const std::int64_t x = columns.start(ox) + j * columns.dilation;
      if (x >= 0 && x < plane.width) result = combine<kMaximum>(result, in[y * plane.row + x]);
    }
  }
  return result;
}

// Divides sums by the number of floats they are of.
static void divide(const Pool& task, const Axis& rows, const Axis& columns, float* out,
                   const Plane& plane) {
  // Windows of outputs [left, right) lie wholly inside the rows: one divisor for all of them.
  const std::int64_t reach = static_cast<std::int64_t>(columns.kernel - 1) * columns.dilation;
  int left = 0;
  while (left < plane.width && columns.start(left) < 0) ++left;
  int right = left;
  while (right < plane.width && columns.start(right) + reach < columns.size) ++right;
  for (int y = 0; y < plane.height; ++y) {
    float* row = out + static_cast<std::int64_t>(y) * plane.row;
    const float height = rows.divisor(y, task.count_include_pad);
    const auto divide_at_border = [&](int from, int to) {
      for (int x = from; x < to; ++x) row[x] /= height * columns.divisor(x, task.count_include_pad);
    };
    divide_at_border(0, left);
    const float full = height * static_cast<float>(columns.kernel);
    for (int x = left; x < right; ++x) row[x] /= full;
    divide_at_border(right, plane.width);
  }
}

template <bool kMaximum>
static void pool_any(const Axis& rows, const Axis& columns, const float* in, const Plane& in_plane,
                     float* out, const Plane& out_plane) {
  const float neutral = kNeutral<kMaximum>;
  // Outputs per line, so that the line, with the vectors read past its end, fits.
  const std::int64_t reach = static_cast<std::int64_t>(columns.kernel - 1) * columns.dilation + 1;
  const std::int64_t room = (kLine - 2 * kVector - reach) / columns.stride - kVector;
  const int step = room < 1 ? 0 : smaller_of(kResults, static_cast<int>(room));
  for (int oy = 0; oy < out_plane.height; ++oy) {
    float* to = out + static_cast<std::int64_t>(oy) * out_plane.row;
    if (step == 0) {
      for (int ox = 0; ox < out_plane.width; ++ox) {
        to[ox] = reduce_window<kMaximum>(rows, columns, oy, ox, in, in_plane, neutral);
      }
    }
    for (int ox = 0; step > 0 && ox < out_plane.width; ox += step) {
      alignas(64) float line[kLine + kVector];
      alignas(64) float results[kResults + kVector];
      const int count = smaller_of(step, out_plane.width - ox);
      // Whole vectors of outputs are computed: the line covers their windows, and the vector read
      // beside them.
      const int outputs = (count + kVector - 1) / kVector * kVector;
      const int floats = (outputs - 1) * columns.stride + static_cast<int>(reach) + kVector;
      reduce_rows<kMaximum>(rows, oy, in, in_plane, columns.start(ox), floats, neutral, line);
      reduce_line<kMaximum>(columns, line, count, neutral, results);
      std::memcpy(to + ox, results, static_cast<std::size_t>(count) * sizeof(float));
    }
    std::memset(to + out_plane.width, 0,
                static_cast<std::size_t>(out_plane.row - out_plane.width) * sizeof(float));
  }
  const std::int64_t rows_end = static_cast<std::int64_t>(out_plane.height) * out_plane.row;
  std::memset(out + rows_end, 0,
              static_cast<std::size_t>(out_plane.flat - rows_end) * sizeof(float));
}

void pool(const Pool& task, const float* in, const Plane& in_plane, float* out,
          const Plane& out_plane, const Epilogue& epilogue, int k) noexcept {
  const Axis rows{task.kernel_h, task.stride_h,   task.dilation_h,
                  task.pad_top,  task.pad_bottom, in_plane.height};
  const Axis columns{task.kernel_w, task.stride_w,  task.dilation_w,
                     task.pad_left, task.pad_right, in_plane.width};
  if (!pool_rows(task, in, in_plane, out, out_plane)) {
    if (task.maximum) {
      pool_any<true>(rows, columns, in, in_plane, out, out_plane);
    } else {
      pool_any<false>(rows, columns, in, in_plane, out, out_plane);
    }
  }
  if (!task.maximum) divide(task, rows, columns, out, out_plane);
  if (epilogue.count > 0) finish(epilogue, k, out, out, out_plane.mask, 0, out_plane.flat);
}

}  // namespace pdrt::cpu::PDRT_ISA
