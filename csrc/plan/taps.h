// Taps as offsets: where each filter position reads, relative to the output pixel, once the input
// is laid out for it.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/step.h"
#include "planes/planes.h"

namespace pdrt::plan {

// The convolution can read its input planes where they lie: stride 1 and the output's map is the
// input's.
bool reads_directly(const ConvolutionForm& form);

// The least row length of the output's planes with which no tap of a row reads the neighbouring
// row's pixels.
std::int32_t least_row(const ConvolutionForm& form);

// How far in front of a plane's first pixel and behind its flat range taps reach, in floats, given
// the row length.
struct Reach {
  std::int32_t before = 0, behind = 0;
};
Reach reach_of(const ConvolutionForm& form, std::int32_t row);

// Offsets of all taps, and the phase planes that the input is split into where it cannot be read
// directly.
struct Taps {
  bool direct = true;
  std::vector<std::int32_t> offsets;
  std::vector<std::int32_t> phase_list;
  Phases phases;  // phases.phases is set from phase_list when it is used: the struct may move

  // Scratch floats for one input channel.
  std::int64_t floats_per_channel() const {
    return direct ? 0 : std::int64_t{1} * phases.phase_count * phases.phase_stride;
  }
};
Taps place_taps(const ConvolutionForm& form, const Plane& output);

}  // namespace pdrt::plan
