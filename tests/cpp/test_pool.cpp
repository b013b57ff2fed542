// The thread pool: every task once, from several callers, nested, after fork, with more threads
// than processors; where sleepers wake up; and the quota of control groups.
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "cpu/affinity.h"
#include "cpu/pool.h"
#include "cpu/quota.h"
#include "cpu/two_threads.h"

namespace {

using pdrt::cpu::available_threads;
using pdrt::cpu::cgroup_quota;
using pdrt::cpu::parallel_for;

bool each_once(int count, int threads) {
  std::vector<std::atomic<int>> runs(static_cast<std::size_t>(count));
  parallel_for(count, threads, [&](int i) {
    runs[static_cast<std::size_t>(i)].fetch_add(1, std::memory_order_relaxed);
  });
  for (const auto& run : runs) {
    if (run.load(std::memory_order_relaxed) != 1) return false;
  }
  return true;
}

void test_each_once() {
  int wrong = 0;
  for (const int threads : {0, 1, 2, 3, 8, 40}) {
    for (const int count : {0, 1, 2, 3, 7, 64, 1000}) {
      for (int again = 0; again < 20; ++again) wrong += !each_once(count, threads);
    }
  }
  CHECK(wrong == 0);
}

// Tasks that take long enough for all threads to come stay with the thread they begin with: each
// has a stretch of them, and only the last of one may end up elsewhere.
void test_stretches() {
  if (available_threads() < 2) return;
  std::vector<std::thread::id> by(64);
  int orderly = 0;
  for (int round = 0; round < 20; ++round) {
    parallel_for(64, 2, [&](int i) {
      const auto start = std::chrono::steady_clock::now();
      while (std::chrono::steady_clock::now() - start < std::chrono::microseconds(50)) continue;
      by[static_cast<std::size_t>(i)] = std::this_thread::get_id();
    });
    int changes = 0;
    for (std::size_t i = 1; i < by.size(); ++i) changes += by[i] != by[i - 1];
    orderly += changes <= 2 && by[0] == std::this_thread::get_id();
  }
  CHECK(orderly > 0);
}

// What a task wrote without atomics is there for the caller, and for the next job's tasks.
void test_results_are_visible() {
  std::vector<int> numbers(100, 0);
  for (int round = 0; round < 500; ++round) {
    parallel_for(100, 4, [&](int i) { ++numbers[static_cast<std::size_t>(99 - i)]; });
  }
  int wrong = 0;
  for (const int number : numbers) wrong += number != 500;
  CHECK(wrong == 0);
}

void test_nested() {
  std::atomic<int> runs{0};
  parallel_for(8, 4, [&](int) { parallel_for(8, 4, [&](int) { runs.fetch_add(1); }); });
  CHECK(runs.load() == 64);
}

void test_concurrent_callers() {
  std::atomic<int> wrong{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 6; ++c) {
    callers.emplace_back([&] {
      for (int round = 0; round < 200; ++round) wrong.fetch_add(!each_once(50, 3));
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(wrong.load() == 0);
}

// Several threads do take part when there is enough to do.
void test_work_is_shared() {
  std::atomic<int> inside{0};
  std::atomic<bool> met{false};
  // Each task waits for another to be running beside it: alone, the first would wait for ever.
  parallel_for(2, 2, [&](int) {
    inside.fetch_add(1);
    while (inside.load() < 2) std::this_thread::yield();
    met.store(true);
  });
  CHECK(met.load());
}

// Workers fall asleep between jobs; the next job still gets done.
void test_sleeping_workers() {
  int wrong = 0;
  for (int round = 0; round < 10; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    wrong += !each_once(20, 4);
  }
  CHECK(wrong == 0);
}

// A caller that waits long for a worker sleeps, and is woken.
void test_slow_worker() {
  int done[2] = {0, 0};
  parallel_for(2, 2, [&](int i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(i == 0 ? 1 : 5));
    done[i] = 1;
  });
  CHECK(done[0] + done[1] == 2);
}

// Waits, for seconds if need be, until workers are awake or asleep.
bool workers_become(bool awake) {
  for (int i = 0; i < 5000 && pdrt::cpu::workers_awake() != awake; ++i) usleep(1000);
  return pdrt::cpu::workers_awake() == awake;
}

cpu_set_t processors_of(int thread) {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(thread, sizeof(set), &set);
  return set;
}

// A sleeper may not wake up on the processor of whoever wakes it, wherever that is by then; once
// awake it may use what it could before.
void test_woken_elsewhere() {
  const cpu_set_t all = processors_of(0);
  std::vector<int> places;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &all)) places.push_back(cpu);
  }
  pdrt::cpu::WokenThread woken;
  std::atomic<int> number{0};
  std::atomic<bool> awake{false};
  cpu_set_t after;
  std::thread sleeper([&] {
    woken.introduce();
    number.store(gettid());
    while (!awake.load()) usleep(1000);
    woken.anywhere_again();
    after = processors_of(0);
  });
  while (number.load() == 0) usleep(1000);
  for (const int cpu : {places.front(), places.back(), places.back()}) {
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET(cpu, &here);
    sched_setaffinity(0, sizeof(here), &here);
    woken.keep_off_mine();
    cpu_set_t expected = all;
    if (places.size() > 1) CPU_CLR(cpu, &expected);
    const cpu_set_t found = processors_of(number.load());
    CHECK(CPU_EQUAL(&found, &expected));
  }
  awake.store(true);
  sleeper.join();
  CHECK(CPU_EQUAL(&after, &all));
  sched_setaffinity(0, sizeof(all), &all);
}

// A thread can leave its processor; on the only one that it may use, it stays.
void test_moving_away() {
  const cpu_set_t all = processors_of(0);
  pdrt::cpu::WokenThread self;
  self.introduce();
  bool moved = CPU_COUNT(&all) == 1;
  for (int round = 0; round < 10; ++round) {
    const int before = pdrt::cpu::current_processor();
    self.move_away();
    moved |= pdrt::cpu::current_processor() != before;
  }
  CHECK(moved);
  const cpu_set_t after = processors_of(0);
  CHECK(CPU_EQUAL(&after, &all));
}

// The pool's workers, too, are left as they were, however often they slept.
void test_workers_keep_their_processors() {
  const cpu_set_t all = processors_of(0);
  std::atomic<int> wrong{0};
  for (int round = 0; round < 20; ++round) {
    CHECK(workers_become(false));
    std::atomic<int> inside{0};
    parallel_for(2, 2, [&](int) {
      inside.fetch_add(1);
      while (inside.load() < 2) std::this_thread::yield();
      const cpu_set_t here = processors_of(0);
      if (!CPU_EQUAL(&here, &all)) wrong.fetch_add(1);
    });
  }
  CHECK(wrong.load() == 0);
}

// A run keeps its workers from sleeping only while it lasts, and every job is done whether they
// sleep or not.
void test_runs() {
  using pdrt::cpu::RunUnderWay;
  CHECK(workers_become(false));
  int wrong = 0;
  {
    const RunUnderWay outer;
    CHECK(!pdrt::cpu::workers_awake());  // nothing to do yet
    for (int round = 0; round < 50; ++round) {
      const RunUnderWay inner;
      wrong += !each_once(20, 2);
      std::atomic<int> inside{0};
      std::atomic<bool> awake{false};
      parallel_for(2, 2, [&](int) {
        inside.fetch_add(1);
        while (inside.load() < 2) std::this_thread::yield();
        if (pdrt::cpu::workers_awake()) awake.store(true);
      });
      wrong += !awake.load();
      if (round % 10 == 0) usleep(1000);  // longer than any of them waits
    }
    CHECK(workers_become(false));  // a run that brings nothing for long does not keep them, either
    wrong += !each_once(20, 2);
  }
  CHECK(workers_become(false));
  CHECK(wrong == 0);
}

#ifndef __SANITIZE_THREAD__  // which refuses to start threads after a fork
int exit_status_of_child(bool (*work)()) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);  // a child that hangs ends by this signal
    const int status = work() ? 0 : 1;
#ifdef __SANITIZE_ADDRESS__
    _exit(status);  // its search for leaks is confused by the threads that did not come along
#else
    std::exit(status);  // through the destructors, like any program
#endif
  }
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void test_fork() {
  CHECK(each_once(100, 4));
  CHECK(exit_status_of_child([] { return each_once(100, 4) && each_once(7, 2); }) == 0);
  // While other threads are in the middle of their jobs.
  std::atomic<bool> stop{false};
  std::thread busy([&] {
    while (!stop.load()) parallel_for(64, 3, [](int) { usleep(10); });
  });
  int failed = 0;
  for (int i = 0; i < 10; ++i)
    failed += exit_status_of_child([] { return each_once(100, 4); }) != 0;
  stop.store(true);
  busy.join();
  CHECK(failed == 0);
  CHECK(each_once(100, 4));
}
#endif

// Wherever they run, on one processor, too; and beside others that measure.
void test_two_threads() {
  std::vector<pdrt::cpu::TwoThreads> found(3);
  std::vector<std::thread> others;
  for (pdrt::cpu::TwoThreads& own : found)
    others.emplace_back([&own] { own = measured_two_threads(pdrt::cpu::select_engine()); });
  for (std::thread& other : others) other.join();
  for (const pdrt::cpu::TwoThreads& own : found) {
    CHECK(own.round_trip_ns > 1 && own.round_trip_ns < 1e9);
    CHECK(own.slowdown > 0 && own.slowdown < 1e6);
  }
}

// Between jobs the pool looks how far its two threads are apart: no job is disturbed, whatever it
// finds, and it finds nothing where they have not shared a job for a while.
void test_looking_how_far() {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
  int wrong = 0;
  for (int jobs = 0; jobs < 100 || std::chrono::steady_clock::now() < end; ++jobs) {
    wrong += !each_once(20, 2);
    pdrt::cpu::workers_apart();
  }
  CHECK(wrong == 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  CHECK(!pdrt::cpu::workers_apart());
}

void test_quota() {
  namespace fs = std::filesystem;
  char name[] = "/tmp/pdrt-quota-XXXXXX";
  const fs::path root = mkdtemp(name);
  const auto write = [&](const std::string& path, const std::string& text) {
    fs::create_directories((root / path).parent_path());
    std::ofstream(root / path) << text;
    return (root / path).string();
  };
  const std::string v2 = write("v2", "0::/a/b\n");
  const std::string v1 = write("v1", "12:devices:/x\n4:cpu,cpuacct:/a/b\n0::/\n");
  const std::string cpuset = write("cpuset", "3:cpuset:/a/b\n");
  CHECK(cgroup_quota(v2, root) == 0);
  CHECK(cgroup_quota((root / "missing").string(), root) == 0);
  write("a/b/cpu.max", "max 100000\n");
  CHECK(cgroup_quota(v2, root) == 0);
  write("a/cpu.max", "150000 100000\n");
  CHECK(cgroup_quota(v2, root) == 1.5);
  write("a/b/cpu.max", "50000 100000\n");
  CHECK(cgroup_quota(v2, root) == 0.5);
  write("a/b/cpu.max", "nonsense");
  CHECK(cgroup_quota(v2, root) == 1.5);
  fs::remove_all(root / "a");
  write("cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  write("cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  CHECK(cgroup_quota(v1, root) == 0);
  write("cpu,cpuacct/cpu.cfs_quota_us", "300000\n");
  CHECK(cgroup_quota(v1, root) == 3);
  CHECK(cgroup_quota(cpuset, root) == 0);
  fs::remove_all(root / "cpu,cpuacct");
  write("cpu/a/cpu.cfs_quota_us", "200000\n");
  write("cpu/a/cpu.cfs_period_us", "100000\n");
  CHECK(cgroup_quota(v1, root) == 2);
  fs::remove_all(root);
}

}  // namespace

int main() {
  alarm(120);  // instead of hanging for ever
  CHECK(available_threads() >= 1);
  test_each_once();
  test_stretches();
  test_results_are_visible();
  test_nested();
  test_concurrent_callers();
  test_work_is_shared();
  test_sleeping_workers();
  test_slow_worker();
  test_runs();
  test_woken_elsewhere();
  test_moving_away();
  test_workers_keep_their_processors();
#ifndef __SANITIZE_THREAD__
  test_fork();
#endif
  test_two_threads();
  test_looking_how_far();
  test_quota();
  return check::report();
}
