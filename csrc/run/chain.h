// A step's chain of stages for one sample: operands resolved to memory, and what becomes of a
// kernel that is switched off.
#pragma once

#include "run/frame.h"

namespace pdrt::run {

// What has to be done for one kernel of one sample.
enum class Work : std::uint8_t {
  nothing,   // nobody needs it
  constant,  // one number for the whole plane: no plane is written
  stages,    // multiplied by zero, but something that has pixels or is not known yet comes after:
             // the stages alone, on a zero plane
  compute,
};

struct Verdict {
  Work work = Work::compute;
  float constant = 0;
};

class Chain {
 public:
  Chain(const Frame& frame, const plan::Step& step, std::int64_t sample);

  // What the engine has to do for the kernels that are computed: multipliers that are 1 for all of
  // them are left out, which changes no bit.
  cpu::Epilogue epilogue() const { return {applied_, applied_count_}; }
  bool has_planes() const { return last_plane_stage_ >= 0; }
  // Whether all that the stages read are numbers, and known.
  bool is_of_numbers() const { return !has_planes() && knows_from(0); }
  // Whether kernels may be switched off.
  bool has_switches() const { return has_switches_; }
  // For a kernel whose pixels are not known yet.
  Verdict judge(int kernel) const {
    if (last_switch_ != nullptr && last_switch_[kernel * last_switch_stride_] == 0.0f)
      return {Work::constant, 0.0f};
    return other_switches_ ? judge_switches(kernel) : Verdict{};
  }
  // For a channel that comes in as a constant.
  Verdict judge_constant(int kernel, float x) const;

  // Writes the constants of operand channels that are off, for engine calls that share one epilogue
  // between kernels.
  void materialise_operands(int kernel) const;
  // The same epilogue for one kernel, with operands that are off given as numbers. `storage` holds
  // kMaxStages stages.
  cpu::Epilogue for_kernel(int kernel, cpu::EpilogueStage* storage) const;

 private:
  Verdict judge_switches(int kernel) const;
  bool is_zero_switch(int stage, int kernel) const;
  bool multiplies_by_one(int stage) const;
  bool knows_from(int stage) const;  // all numbers that the stages from there on read
  const Frame& frame_;
  const plan::Step& step_;
  std::int64_t sample_;
  int count_ = 0;
  int last_plane_stage_ = -1;           // the last with a plane operand
  bool has_switches_ = false;           // that may be zero, and count
  bool other_switches_ = false;         // than the last stage
  const float* last_switch_ = nullptr;  // the numbers of the last stage, if it is one
  std::int64_t last_switch_stride_ = 0;
  cpu::EpilogueStage stages_[kMaxStages];
  cpu::EpilogueStage applied_[kMaxStages];
  int applied_count_ = 0;
};

}  // namespace pdrt::run
