// Planes that go back and forth between the device and a step on the host.
#pragma once

#include <vector>

#include "run/device/moves.h"
#include "run/device/workspace.h"
#include "run/frame.h"

namespace pdrt::run::device {

// Planes of a value as the CPU engine wants them, zeros around their pixels. Waits for the device.
void fetch_planes(const Frame& frame, Workspace& work, ValueId value, bool halves);

// Planes that the host made. Waits for the device.
void send_planes(const Frame& frame, Workspace& work, ValueId value, bool halves);

// The states of what a host step reads. A plane that is off may be written on one side where
// something there has to read it, and is off on the other all the same: what a host step writes is
// forgotten when it is over.
class PlaneStates {
 public:
  PlaneStates(const Frame& frame, const plan::Step& step, const Moves& moves);
  void restore() const;

 private:
  const Frame& frame_;
  struct Saved {
    ValueId value;
    std::int64_t sample;
    std::vector<Channel> states;
  };
  std::vector<Saved> saved_;
};

}  // namespace pdrt::run::device
