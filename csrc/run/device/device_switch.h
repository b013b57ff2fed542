// Switches that the device evaluates by itself: lists of what is active are made where the
// multipliers are, and no one waits.
#pragma once

#include <optional>
#include <vector>

#include "run/device/builder.h"
#include "run/device/lists.h"
#include "run/device/workspace.h"

namespace pdrt::run::device {

// When a kernel of a step is on: all conditions of some alternative hold. None: always.
using Conditions = std::vector<opencl::Condition>;

// From what is needed of the step and its own multipliers; nothing where that takes more than
// conditions on each kernel by itself.
std::optional<Conditions> conditions_of(const plan::Plan& plan, const plan::Step& step);

// Whether the planes of a value may be left unwritten where they are zero: none but convolutions
// on the device read them, which leave out channels whose flag is not set.
bool may_stay_unwritten(const plan::Plan& plan, ValueId value);

// Whether stages that follow the step's last switch leave a zero what it is.
bool off_means_zero(const plan::Step& step);

// A launch of active_list.cl.
class ListMaker {
 public:
  enum class Makes { kernels, others, channels };

  // `flags`, `flags_stride`: of what the numbers stand for, or PDRT_NONE. Entries of `lists` are
  // samples times groups.
  ListMaker(Builder& builder, const Lists& lists, Makes makes, const Conditions& conditions,
            opencl::uint flags, opencl::uint flags_stride, std::int64_t groups);

  void judge(Workspace& work) const;  // writes the conditions
  void enqueue(Workspace& work) const;

 private:
  Conditions conditions_;
  opencl::uint first_ = 0;  // of the conditions in the lists
  std::int64_t entries_ = 0;
  int launch_ = -1;
};

}  // namespace pdrt::run::device
