// The steps of a plan that the CPU engine runs, with the weights in the forms it wants.
#pragma once

#include <string>
#include <vector>

#include "run/implementations.h"
#include "run/ways.h"

namespace pdrt::run {

class HostSteps {
 public:
  // Of a plan with a device, those that are not on it.
  HostSteps(const plan::Plan& plan, const cpu::Engine& engine, int threads,
            PackedWeights& of_session);

  const PackedSteps& packed() const { return packed_; }
  std::size_t packed_bytes() const { return packed_bytes_; }
  // Fetches the weights that every run reads whole; what can be off is left in the file until it is
  // on, and everything is until somebody runs the plan.
  void before_first_run() const;
  void run(const Frame& frame, std::size_t step) const { implementations_[step]->run(frame, step); }
  // For a convolution, the way that runs it when all is on; samples with less on may take another.
  std::string implementation(std::size_t step) const;

 private:
  // Whether weights in another form than the file's are what will usually be read.
  bool prefers_packed(std::size_t step) const;

  const plan::Plan& plan_;
  std::vector<const Implementation*> implementations_;  // by step
  PackedSteps packed_;
  PackedWeights own_weights_;  // packed, of weights that are the plan's own
  std::size_t packed_bytes_;   // of all the session's plans, when this one was made
};

}  // namespace pdrt::run
