// Who runs a plan's steps: the CPU engine alone, or a device with the CPU beside it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "run/frame.h"

namespace pdrt::run {

class Executor {
 public:
  Executor() = default;
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  virtual ~Executor() = default;

  virtual std::unique_ptr<Workspace> make_workspace() const = 0;
  // Inputs in the order of the plan's.
  virtual void load(const Frame& frame, const std::vector<TensorView>& inputs) const = 0;
  // All steps. `timed`: fills Workspace::step_milliseconds.
  virtual void run(const Frame& frame, bool timed) const = 0;
  // Outputs in the order of the plan's, to contiguous memory; channels that are off become their
  // constants. The run is over when it returns.
  virtual void store(const Frame& frame, const std::vector<TensorView>& outputs) const = 0;
  // After a run of a session that profiles: adds what happened beside the host's thread since
  // `start`.
  virtual void trace(const Frame& frame, Clock::time_point start, RunStats& stats) const = 0;
  // What runs the step when all is on, and why what would be faster does not.
  virtual std::string implementation(std::size_t step) const = 0;
  virtual std::vector<std::string> refused(std::size_t step) const = 0;
  // What else is to be said of a step.
  virtual std::vector<std::string> notes(std::size_t) const { return {}; }
  // What each step enqueues on a device when all is on; nothing where there is no device.
  virtual std::vector<std::vector<std::string>> launches() const { return {}; }
  // Weights in another form than the file's.
  virtual std::size_t packed_bytes() const = 0;
};

}  // namespace pdrt::run
