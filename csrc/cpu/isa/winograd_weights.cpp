// Winograd: the nine taps of one kernel to positions, lanes being input channels.
#include "cpu/isa/winograd.h"

namespace pdrt::cpu::PDRT_ISA {

template <int kTile>
static void transform(const float* taps, int channels, float* out, std::int64_t position_stride) {
  constexpr int kSide = kTile + 2;
  for (int first = 0; first < channels; first += kVector) {
    const int count = smaller_of(kVector, channels - first);
    float by_tap[9][kVector] = {};
    for (int c = 0; c < count; ++c) {
      for (int t = 0; t < 9; ++t) by_tap[t][c] = taps[(first + c) * 9 + t];
    }
    Floats columns[3][kSide];  // [j][i]: row i of G g, still at column j
    unrolled<3>([&](int j) PDRT_LAMBDA {
      const Floats column[3] = {load(by_tap[j]), load(by_tap[3 + j]), load(by_tap[6 + j])};
      transform_weights(column, columns[j]);
    });
    unrolled<kSide>([&](int i) PDRT_LAMBDA {
      const Floats row[3] = {columns[0][i], columns[1][i], columns[2][i]};
      Floats transformed[kSide];
      transform_weights(row, transformed);
      unrolled<kSide>([&](int j) PDRT_LAMBDA {
        float* to = out + (i * kSide + j) * position_stride + first;
        if (count == kVector) {
          store(to, transformed[j]);
        } else {
          float lanes[kVector];
          store(lanes, transformed[j]);
          std::memcpy(to, lanes, static_cast<std::size_t>(count) * sizeof(float));
        }
      });
    });
  }
}

void winograd_weights(int tile, const float* taps, int channels, float* out,
                      std::int64_t position_stride) noexcept {
  switch (tile) {
    case 2:
      return transform<2>(taps, channels, out, position_stride);
    case 4:
      return transform<4>(taps, channels, out, position_stride);
    default:
      return transform<6>(taps, channels, out, position_stride);
  }
}

}  // namespace pdrt::cpu::PDRT_ISA
