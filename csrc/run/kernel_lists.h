// Deciding over a step's kernels for one sample, and noting afterwards what came out.
#pragma once

#include "run/chain.h"

namespace pdrt::run {

// Lengths of the lists in the workspace.
struct KernelLists {
  int compute = 0;  // work.kernels: every tap
  int stages = 0;   // work.stage_kernels: the stages alone
};

// Judges every kernel. Those that stay constant get their state at once.
KernelLists list_kernels(const Frame& frame, const plan::Step& step, const Chain& chain,
                         std::int64_t sample);

// Of what is to be written: clean borders, operands that can be read, cleared `nonzero` flags.
void prepare_kernels(const Frame& frame, const plan::Step& step, const Chain& chain,
                     std::int64_t sample, const KernelLists& lists);

// Planes that came out entirely zero are off from here on.
void finish_kernels(const Frame& frame, const plan::Step& step, std::int64_t sample,
                    const KernelLists& lists);

// The state of one written plane.
inline void set_written(const Frame& frame, ValueId output, std::int64_t sample, int channel,
                        bool nonzero) {
  frame.channels(output, sample)[channel] = nonzero || !frame.skip ? Channel::on : Channel::off;
  frame.off_values(output, sample)[channel] = 0.0f;
}

inline void set_constant(const Frame& frame, ValueId output, std::int64_t sample, int channel,
                         float value) {
  frame.channels(output, sample)[channel] = Channel::off;
  frame.off_values(output, sample)[channel] = value;
}

}  // namespace pdrt::run
