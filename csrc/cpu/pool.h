// The process's one thread pool: sized by the affinity mask and the cgroup quota, shared by all
// sessions, safe after fork.
#pragma once

#include <type_traits>

namespace pdrt::cpu {

// A non-owning reference to something callable with a task number. Never allocates.
class Task {
 public:
  template <typename F, typename = std::enable_if_t<!std::is_same_v<std::decay_t<F>, Task>>>
  Task(const F& f)  // NOLINT: implicit on purpose, so that a lambda can be passed
      : object_(&f),
        call_([](const void* object, int index) { (*static_cast<const F*>(object))(index); }) {}
  void operator()(int index) const { call_(object_, index); }

 private:
  const void* object_;
  void (*call_)(const void*, int);
};

// Threads this process may use at once: affinity mask and cgroup v1/v2 CPU quota (rounded up), at
// least 1.
int available_threads();

// Runs task(0) ... task(count - 1), each exactly once, on at most `threads` threads, the caller
// included; returns when all are done. Every thread begins with tasks of its own that follow each
// other, the caller with the first ones, so that what one task wrote is in the cache of the thread
// that gets the same part of the next job; who is done early takes over others' last ones. If the
// pool is busy with another session's work, or threads is 1, the caller does it all: it never waits
// for a free pool and cannot deadlock. Tasks must not throw. Worker threads start on first use; in
// a forked child they start anew.
void parallel_for(int count, int threads, Task task);

// Whether a cache line took long to go to a worker and back: a host moves the virtual processors of
// a machine about, and caches may lie apart. Looked at again and again while two threads share
// jobs; false where that was not done lately.
bool workers_apart();

// Whether workers are awake, so that a job reaches one in less than a microsecond; waking one takes
// tens.
bool workers_awake();

// While one exists, workers that have woken for a job stay awake for the next, as long as there are
// processors enough for them and for all who give jobs.
class RunUnderWay {
 public:
  RunUnderWay();
  ~RunUnderWay();
  RunUnderWay(const RunUnderWay&) = delete;
  RunUnderWay& operator=(const RunUnderWay&) = delete;
};

}  // namespace pdrt::cpu
