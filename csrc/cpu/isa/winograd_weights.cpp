// Winograd: the nine taps of kernels to positions, lanes being input channels of one kernel, or
// kernels of a panel.
#include "cpu/isa/winograd_taps.h"

namespace pdrt::cpu::PDRT_ISA {

// Inputs whose positions are gathered before they are stored: a few cache lines for each position.
constexpr int kGathered = 4 * kLanes;

// Of at most kGathered inputs, to [position][kGathered].
template <int kTile>
static void transform_some(const float* taps, int channels, float* out) {
  for (int first = 0; first < channels; first += kVector) {
    Floats g[9];
    const int count = smaller_of(kVector, channels - first);
    if (count == kVector) {
      load_taps(taps + first * 9, g);
    } else {
      float last[9 * kVector] = {};
      std::memcpy(last, taps + first * 9, static_cast<std::size_t>(count) * 9 * sizeof(float));
      load_taps(last, g);
    }
    transform_taps<kTile>(g, [&](int position, Floats weights) PDRT_LAMBDA {
      store(out + position * kGathered + first, weights);
    });
  }
}

template <int kTile>
static void transform(const float* taps, int channels, float* out, std::int64_t position_stride) {
  constexpr int kPositions = (kTile + 2) * (kTile + 2);
  alignas(64) float gathered[kPositions * kGathered];
  for (int first = 0; first < channels; first += kGathered) {
    const int count = smaller_of(kGathered, channels - first);
    transform_some<kTile>(taps + first * 9, count, gathered);
    for (int position = 0; position < kPositions; ++position) {
      copy_past_caches(out + position * position_stride + first, gathered + position * kGathered,
                       count);
    }
  }
  stored_past_caches();
}

template <int kTile>
static void transform_panel(const float* taps, std::int64_t kernel_stride, int kernels,
                            int channels, float* out, std::int64_t position_stride) {
  constexpr int kPositions = (kTile + 2) * (kTile + 2), kInputs = kGathered / kLanes;
  alignas(64) float gathered[kPositions * kGathered];
  float side_by_side[kInputs][kLanes][9] = {};  // zeros for kernels that do not exist
  for (int first = 0; first < channels; first += kInputs) {
    const int count = smaller_of(kInputs, channels - first);
    for (int k = 0; k < kernels; ++k) {
      const float* const from = taps + k * kernel_stride + std::int64_t{9} * first;
      for (int c = 0; c < count; ++c)
        std::memcpy(side_by_side[c][k], from + 9 * c, 9 * sizeof(float));
    }
    transform_some<kTile>(side_by_side[0][0], count * kLanes, gathered);
    for (int position = 0; position < kPositions; ++position) {
      copy_past_caches(out + position * position_stride + std::int64_t{first} * kLanes,
                       gathered + position * kGathered, count * kLanes);
    }
  }
  stored_past_caches();
}

void winograd_panel(int tile, const float* taps, std::int64_t kernel_stride, int kernels,
                    int channels, float* out, std::int64_t position_stride) noexcept {
  switch (tile) {
    case 2:
      return transform_panel<2>(taps, kernel_stride, kernels, channels, out, position_stride);
    case 4:
      return transform_panel<4>(taps, kernel_stride, kernels, channels, out, position_stride);
    default:
      return transform_panel<6>(taps, kernel_stride, kernels, channels, out, position_stride);
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
