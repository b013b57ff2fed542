// What steps that write planes have in common: judging kernels, lists of those to compute, those
// that are off but go through the stages all the same, and constants that must become planes
// because something reads them.
#pragma once

#include <vector>

#include "run/chain.h"
#include "run/device/device_switch.h"
#include "run/device/step.h"

namespace pdrt::run::device {

class PlaneStep : public DeviceStep {
 public:
  PlaneStep(Builder& builder, std::size_t step, bool changing, std::int64_t groups,
            std::int64_t channel_room);

  void judge(const Frame& frame, Workspace& work) const override;
  void enqueue(Workspace& work) const override;

 protected:
  // What becomes of a kernel that is needed. Where its input is a constant, that decides with.
  virtual Verdict settle(const Frame& frame, const Chain& chain, std::int64_t sample,
                         int kernel) const;
  // The input channel that the kernel reads; -1 where it reads lists of them.
  virtual int channel_of(int kernel) const { return kernel; }
  // After the kernels of a sample are listed: their channels.
  virtual void list_channels(const Frame&, Workspace&, std::int64_t) const {}
  virtual void count(const Frame&, const Workspace&, std::int64_t) const {}
  // The device makes the list of channels, without those whose flag is not set.
  void list_channels_on_device(Builder& builder);
  // What has to be enqueued before the main launch.
  virtual void enqueue_before(Workspace&) const {}
  // And after it.
  virtual void enqueue_after(Workspace&) const {}
  // Of every group that has active kernels: the channels that are not zero.
  void list_active_channels(const Frame& frame, Workspace& work, std::int64_t sample,
                            std::int64_t group_channels) const;
  // Active kernels, and their pairs with listed channels.
  void count_pairs(const Frame& frame, const Workspace& work, std::int64_t sample) const;
  // Work-groups of the main launch, when the longest list has so many kernels.
  virtual Groups groups_for(std::int64_t kernels) const = 0;

  const plan::Step& step() const { return plan_.steps[step_]; }
  ValueId input() const { return step().inputs[0]; }
  ValueId output() const { return step().outputs[0]; }
  // Makes a plane of a channel that is off, for programs that read it.
  void materialise(const Frame& frame, Workspace& work, ValueId value, std::int64_t sample,
                   int channel) const;
  // Flags of the output, for the arguments of a program.
  opencl::uint out_flags() const;
  opencl::uint out_flags_stride() const;

  const plan::Plan& plan_;
  const std::size_t step_;
  const std::int64_t samples_, kernels_, groups_;
  Lists compute_;
  bool lists_on_device_ = false;  // lists of kernels or channels are made there
  int main_ = -1;                 // launch

 private:
  struct Fill {
    ValueId value = kAbsent;
    Lists lists;
    int launch = -1;
  };
  void prepare_fill(Builder& builder, ValueId value);
  void prepare_zeros(Builder& builder);
  void prepare_switch(Builder& builder);
  void materialise_operands(const Frame& frame, Workspace& work, std::int64_t sample,
                            int kernel) const;

  std::vector<Fill> fills_;
  Lists zeros_;  // kernels that are off, with stages to come that have planes
  int zeros_launch_ = -1;
  std::vector<ListMaker> list_makers_;  // of a step that the device switches
};

}  // namespace pdrt::run::device
