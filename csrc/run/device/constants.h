// What the launches of a plan read besides planes and lists, collected while they are prepared:
// numbers stored in the model, and the stages of epilogues.
#pragma once

#include <map>
#include <vector>

#include "opencl/arguments.h"
#include "plan/plan.h"

namespace pdrt::run::device {

class Constants {
 public:
  // Where `count` stored numbers are in the buffer of parameters; PDRT_NONE for none.
  opencl::uint parameters(const float* data, std::int64_t count);
  // The chain of a step, whose output is `output`.
  opencl::Epilogue epilogue(const plan::Plan& plan, const plan::Step& step);

  const std::vector<float>& numbers() const { return numbers_; }
  const std::vector<opencl::StageArguments>& stages() const { return stages_; }

 private:
  std::map<std::pair<const float*, std::int64_t>, opencl::uint> known_;
  std::vector<float> numbers_;
  std::vector<opencl::StageArguments> stages_;
};

// The planes of a value in the programs' words.
opencl::Planes planes_of(const plan::Plan& plan, ValueId value);

// Where a dense value is in its buffer, in elements of `bytes` each.
opencl::uint dense_at(const plan::Plan& plan, ValueId value, std::size_t bytes = sizeof(float));

std::size_t bytes_of_dense(const plan::Plan& plan, ValueId value);

// The bits of all stages that occur in a plan: option STAGES of the programs.
std::uint32_t stages_in(const plan::Plan& plan);

}  // namespace pdrt::run::device
