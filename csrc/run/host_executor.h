// Everything on the CPU engine.
#pragma once

#include "run/executor.h"
#include "run/host_steps.h"

namespace pdrt::run {

class HostExecutor final : public Executor {
 public:
  HostExecutor(const plan::Plan& plan, const HostSteps& steps) : plan_(plan), steps_(steps) {}

  std::unique_ptr<Workspace> make_workspace() const override;
  void load(const Frame& frame, const std::vector<TensorView>& inputs) const override;
  void run(const Frame& frame, bool timed) const override;
  void store(const Frame& frame, const std::vector<TensorView>& outputs) const override;
  void trace(const Frame&, Clock::time_point, RunStats&) const override {}
  std::string implementation(std::size_t step) const override;
  std::vector<std::string> refused(std::size_t step) const override;
  std::size_t packed_bytes() const override { return steps_.packed_bytes(); }

 private:
  const plan::Plan& plan_;
  const HostSteps& steps_;
};

}  // namespace pdrt::run
