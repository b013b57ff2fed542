// A plan on a device: its steps are enqueued, and the host beside it decides what runs.
#pragma once

#include <memory>
#include <vector>

#include "run/device/device.h"
#include "run/device/host_planes.h"
#include "run/device/moves.h"
#include "run/device/step.h"
#include "run/device/transfer_steps.h"
#include "run/executor.h"
#include "run/host_steps.h"

namespace pdrt::run::device {

class DeviceExecutor final : public Executor {
 public:
  // `skip`: Options::skip. Throws DeviceError naming every node that would have to run on the host
  // for want of a program, unless the device's options allow that.
  DeviceExecutor(const plan::Plan& plan, const HostSteps& host_steps, Device& device, bool skip,
                 bool switches_on_device);

  std::unique_ptr<run::Workspace> make_workspace() const override;
  void load(const Frame& frame, const std::vector<TensorView>& inputs) const override;
  void run(const Frame& frame, bool timed) const override;
  void store(const Frame& frame, const std::vector<TensorView>& outputs) const override;
  void trace(const Frame& frame, Clock::time_point start, RunStats& stats) const override;
  std::string implementation(std::size_t step) const override;
  std::vector<std::string> refused(std::size_t step) const override;
  std::vector<std::string> notes(std::size_t step) const override;
  std::vector<std::vector<std::string>> launches() const override;
  std::size_t packed_bytes() const override {
    return device_.weights.bytes() + own_weights_.bytes();
  }

 private:
  // A range of the list numbers.
  struct Numbers {
    std::size_t first = 0, last = 0;
  };
  // An input or output that is planes, as an array on the device.
  struct Array {
    std::size_t index = 0;  // among the plan's inputs or outputs
    std::size_t offset = 0, bytes = 0;
    std::unique_ptr<Transfer> transfer;
  };

  Frame all_on(Workspace& work) const;                 // nothing is skipped
  opencl::Buffer adopt(const TensorView& view) const;  // a caller's
  void load_dense(const Frame& frame, Workspace& work, std::size_t index,
                  const TensorView& from) const;
  void refuse_host_steps() const;
  void refuse_what_is_too_large() const;
  void find_changes(bool skip);
  void prepare_steps();
  void prepare_arrays();
  void prepare_host_planes();
  // Steps [first, last), all on the device.
  void run_on_device(const Frame& frame, Workspace& work, std::size_t first,
                     std::size_t last) const;
  void run_on_host(const Frame& frame, Workspace& work, std::size_t step) const;
  void take_planes(const Frame& frame, Workspace& work, std::size_t step) const;
  // Outputs that the host made.
  void store_from_host(const Frame& frame, Workspace& work,
                       const std::vector<TensorView>& outputs) const;
  void upload_lists(Workspace& work, const Numbers& numbers) const;
  void await(Workspace& work, const std::vector<ValueId>& values) const;
  bool has_to_wait(const Workspace& work, std::size_t step) const;

  const plan::Plan& plan_;
  const HostSteps& host_steps_;
  Device& device_;
  const Sharing sharing_;
  const Moves moves_;
  Weights own_weights_;  // uploaded, of weights that are the plan's own
  Builder builder_;
  std::vector<bool> changing_;          // by step: what runs of it differs from run to run
  std::vector<bool> may_be_off_;        // by value: some of its planes, in some run
  const std::vector<bool> everything_;  // by value: before a run, none is known
  std::vector<std::unique_ptr<DeviceStep>> steps_;  // nullptr: on the host
  std::vector<Numbers> numbers_;                    // by step
  std::vector<Array> inputs_, outputs_;
  Numbers output_numbers_;
  // Shared planes that the host uses: by step, for it and those of the host behind it; of outputs.
  std::vector<ByteRange> host_planes_;
  ByteRange output_planes_;
  Sizes sizes_;
  SharedBuffer parameters_, stages_;
};

}  // namespace pdrt::run::device
