// Where a thread runs that others wake.
#pragma once

namespace pdrt::cpu {

// The calling thread's processor; -1: unknown.
int current_processor();

// A thread that others wake for a moment's work.
//
// Linux often puts a woken thread on the processor of whoever woke it, where the two take turns
// while another processor stays idle: a virtual machine's idle processors look as if the host had
// taken them away, and mobile systems save energy by filling one processor before the next.
class WokenThread {
 public:
  // Called by the thread itself, before anybody wakes it.
  void introduce();
  // Called by whoever is about to wake the thread: keeps it off the caller's processor, if it may
  // run on another and the system lets us.
  void keep_off_mine();
  // Called by the thread itself once it runs: may use all the processors again that it could
  // before.
  void anywhere_again();
  // Called by the thread itself: leaves its processor for another, if it may run on one.
  void move_away();

 private:
  int number_ = -1;     // the system's
  int forbidden_ = -1;  // processor; -1: none
};

}  // namespace pdrt::cpu
