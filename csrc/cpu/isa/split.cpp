// Phases: one input plane taken apart by stride, so that the taps of a strided convolution become
// plain offsets.
#include "cpu/isa/functions.h"

namespace pdrt::cpu::PDRT_ISA {

// out[c] = in[c * stride] for c < count. Reads nothing behind the last float it copies, except
// (stride 2, whole vectors) the one next to it, which `spare` says is there.
static void copy_strided(const float* in, int stride, float* out, int count, bool spare) {
  if (stride == 1) {
    std::memcpy(out, in, static_cast<std::size_t>(count) * sizeof(float));
    return;
  }
  int c = 0;
  if (stride == 2) {
    for (; c + kVector <= count - (spare ? 0 : 1); c += kVector) {
      store(out + c, evens(load(in + 2 * c), load(in + 2 * c + kVector)));
    }
  }
  for (; c < count; ++c) out[c] = in[static_cast<std::int64_t>(c) * stride];
}

void split(const Phases& task, const float* in, const Plane& in_plane, float* out) noexcept {
  for (int p = 0; p < task.phase_count; ++p) {
    const int i = task.phases[p] / task.stride_w;
    const int j = task.phases[p] % task.stride_w;
    // Rows and columns of this phase that lie inside the input. i and j are less than the strides,
    // so the first of them is 0.
    const int row0 = larger_of(task.row0, 0);
    const int row1 =
        smaller_of(task.row1, (in_plane.height - i + task.stride_h - 1) / task.stride_h);
    const int col0 = larger_of(task.col0, 0);
    const int col1 =
        smaller_of(task.col1, (in_plane.width - j + task.stride_w - 1) / task.stride_w);
    float* origin = out + static_cast<std::int64_t>(p) * task.phase_stride;
    float* written = origin - task.lead;  // all in front of it holds its final value
    const auto clear_to = [&written](float* to) {
      if (written < to)
        std::memset(written, 0, static_cast<std::size_t>(to - written) * sizeof(float));
    };
    for (int row = row0; row < row1 && col0 < col1; ++row) {
      float* to = origin + static_cast<std::int64_t>(row) * task.row + col0;
      clear_to(to);
      const int x = col0 * task.stride_w + j;
      const int last = (col1 - 1) * task.stride_w + j;
      const float* from =
          in + (static_cast<std::int64_t>(row) * task.stride_h + i) * in_plane.row + x;
      copy_strided(from, task.stride_w, to, col1 - col0, last + 1 < in_plane.width);
      written = to + (col1 - col0);
    }
    clear_to(origin + task.phase_stride - task.lead);
  }
}

}  // namespace pdrt::cpu::PDRT_ISA
