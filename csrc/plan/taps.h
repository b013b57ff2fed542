// Taps as offsets: where each filter position reads, relative to the output pixel, once the input
// is laid out for it.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/step.h"
#include "planes/planes.h"

namespace pdrt::plan {

// The least row length of the output's planes with which no tap of a row reads the neighbouring
// row's pixels, so that neighbouring columns of a filter can read the same plane.
std::int32_t least_row(const ConvolutionForm& form);

// The convolution can read its input planes where they lie, in rows that long: stride 1, the
// output's map is the input's, and no tap reads the neighbouring row's pixels.
bool reads_directly(const ConvolutionForm& form, std::int32_t row);

// How far in front of a plane's first pixel and behind its flat range taps reach, in floats, given
// a row length of at least least_row.
struct Reach {
  std::int32_t before = 0, behind = 0;
};
Reach reach_of(const ConvolutionForm& form, std::int32_t row);

// Offsets of all taps, and the phase planes that the input is split into where it cannot be read
// directly. In rows shorter than least_row every column of the filter reads a phase of its own, cut
// to the output's columns; only taps of one column share theirs.
struct Taps {
  bool direct = true;
  std::vector<std::int32_t> offsets;
  std::vector<Phase> phase_list;
  Phases phases;  // phases.phases is set from phase_list when it is used: the struct may move

  // Scratch floats for one input channel.
  std::int64_t floats_per_channel() const {
    return direct ? 0 : std::int64_t{1} * phases.phase_count * phases.phase_stride;
  }
};
// Rows of the output's planes are `row` floats long, their flat range is `flat`.
Taps place_taps(const ConvolutionForm& form, std::int32_t row, std::int32_t flat);

}  // namespace pdrt::plan
