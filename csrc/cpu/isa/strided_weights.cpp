// Winograd for 7x7 filters of stride 2: the taps of one kernel to positions, phase by phase. In
// double precision: there are few of them.
#include "cpu/isa/functions.h"

namespace pdrt::cpu::PDRT_ISA {

constexpr int kPhaseTaps = (kStridedFilter + 1) / 2;

// G of F(4, 4), for points 0, 1, -1, 2, -2, 1/2 and infinity: see winograd.h.
constexpr double kTransform[kStridedSide][kPhaseTaps] = {{-1.0 / 2, 0, 0, 0},
                                                         {-1.0 / 3, -1.0 / 3, -1.0 / 3, -1.0 / 3},
                                                         {1.0 / 9, -1.0 / 9, 1.0 / 9, -1.0 / 9},
                                                         {1.0 / 36, 1.0 / 18, 1.0 / 9, 2.0 / 9},
                                                         {-1.0 / 60, 1.0 / 30, -1.0 / 15, 2.0 / 15},
                                                         {32.0 / 45, 16.0 / 45, 8.0 / 45, 4.0 / 45},
                                                         {0, 0, 0, 1}};

// Taps (top + 2 i, left + 2 j), as far as the filter has them.
static void transform_phase(const float* taps, int top, int left, std::int64_t position_stride,
                            float* out) {
  double rows[kStridedSide][kPhaseTaps] = {};
  for (int y = top; y < kStridedFilter; y += 2) {
    for (int x = left; x < kStridedFilter; x += 2) {
      for (int i = 0; i < kStridedSide; ++i)
        rows[i][x / 2] += kTransform[i][y / 2] * static_cast<double>(taps[y * kStridedFilter + x]);
    }
  }
  for (int i = 0; i < kStridedSide; ++i) {
    for (int j = 0; j < kStridedSide; ++j) {
      double sum = 0;
      for (int t = 0; t < kPhaseTaps; ++t) sum += kTransform[j][t] * rows[i][t];
      out[(i * kStridedSide + j) * position_stride] = static_cast<float>(sum);
    }
  }
}

void strided_weights(const float* taps, int channels, float* out) noexcept {
  const std::int64_t position_stride = std::int64_t{kStridedPhases} * channels;
  for (int place = 0; place < kStridedPhases * channels; ++place) {
    const int phase = place % kStridedPhases, channel = place / kStridedPhases;
    transform_phase(taps + channel * kStridedFilter * kStridedFilter, phase / 2, phase % 2,
                    position_stride, out + place);
  }
}

}  // namespace pdrt::cpu::PDRT_ISA
