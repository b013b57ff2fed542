#include "cpu/affinity.h"

#if defined(__linux__)
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace pdrt::cpu {

#if defined(__linux__)

// Machines with more than CPU_SETSIZE processors refuse a set of the fixed size: nothing is changed
// there.

int current_processor() { return sched_getcpu(); }

void WokenThread::introduce() { number_ = static_cast<int>(syscall(SYS_gettid)); }

void WokenThread::keep_off_mine() {
  const int mine = sched_getcpu();
  cpu_set_t set;
  if (mine < 0 || mine == forbidden_ || sched_getaffinity(number_, sizeof(set), &set) != 0) return;
  if (forbidden_ >= 0) CPU_SET(forbidden_, &set);
  if (!CPU_ISSET(mine, &set) || CPU_COUNT(&set) == 1) return;
  CPU_CLR(mine, &set);
  if (sched_setaffinity(number_, sizeof(set), &set) == 0) forbidden_ = mine;
}

void WokenThread::anywhere_again() {
  if (forbidden_ < 0) return;
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    CPU_SET(forbidden_, &set);
    static_cast<void>(sched_setaffinity(0, sizeof(set), &set));
  }
  forbidden_ = -1;
}

void WokenThread::move_away() {
  keep_off_mine();  // the system moves a thread at once that must not be where it is
  anywhere_again();
}

#else

int current_processor() { return -1; }
void WokenThread::introduce() {}
void WokenThread::keep_off_mine() {}
void WokenThread::anywhere_again() {}
void WokenThread::move_away() {}

#endif

}  // namespace pdrt::cpu
