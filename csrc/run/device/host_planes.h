// Planes that go back and forth between the device and steps on the host, or that both use where
// they lie: in one memory, a form that both want.
#pragma once

#include <string>
#include <vector>

#include "run/device/device.h"
#include "run/device/moves.h"
#include "run/device/workspace.h"
#include "run/frame.h"

namespace pdrt::run::device {

// Whether a step reads or writes planes.
bool uses_planes(const plan::Plan& plan, const plan::Step& step);

// Whether planes are the same for both sides. They lie alike, float by float, so that it is a
// matter of whose memory it is and of how numbers are stored there.
struct Sharing {
  bool shared = false;
  std::string why_not;  // planes that a step of the host needs are copied
};
Sharing sharing_of(const plan::Plan& plan, const Device& device);

// What a step on the host reads and writes of the planes, its scratch memory included.
ByteRange planes_of_step(const plan::Plan& plan, std::size_t step);
ByteRange planes_of_value(const plan::Plan& plan, ValueId value);

// Zeros around the pixels of planes that the device wrote: it leaves alone what is there, and the
// CPU engine reads it.
void clear_beside_pixels(const Frame& frame, ValueId value);

// Planes of a value as the CPU engine wants them, from the device's memory. Waits for the device.
void fetch_planes(const Frame& frame, Workspace& work, ValueId value, bool halves);

// Planes that the host made, to the device's memory. Waits for the device.
void send_planes(const Frame& frame, Workspace& work, ValueId value, bool halves);

// Which planes that the host made are not zero.
void send_flags(const Frame& frame, Workspace& work, ValueId value);
std::size_t flag_bytes_of(const plan::Plan& plan, ValueId value);

// The states of what a host step reads. A plane that is off may be written on one side where
// something there has to read it, and is off on the other all the same: what a host step writes is
// forgotten when it is over. So it is where both sides share it: the device would have to set its
// flag, the host to clear what is beside its pixels.
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
