// The thread pool. One job at a time; the caller works too; workers are invited, never waited for
// to begin.
//
// All that decides who works on a job is in one word, `gate_`: how many workers may still enter,
// how many are inside, and the number of the job. A worker enters by taking an invitation from it,
// the caller closes the gate by taking back those left, and returns when nobody is inside. So a
// worker that wakes late finds the gate closed and touches nothing.
#include "cpu/pool.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <limits>
#include <mutex>
#include <new>
#include <optional>
#include <system_error>
#include <thread>

#include "cpu/affinity.h"
#include "cpu/pause.h"

namespace pdrt::cpu {
namespace {

// More threads than this are not started, whatever is asked for.
constexpr int kMaxThreads = 256;
// How long a thread looks for work, or for the others to be done, before it sleeps: longer than
// what waking it costs, so that runs which follow each other closely find it awake.
constexpr auto kSpin = std::chrono::microseconds(200);
// How long a worker looks for work while a run that will have more of it is under way.
constexpr auto kLongSpin = std::chrono::microseconds(300);
// How often to look how far apart two threads are, at a few microseconds each time, and how long
// that is believed.
constexpr auto kLookAgain = std::chrono::milliseconds(20),
               kBelieved = std::chrono::milliseconds(100);
// From here on caches lie apart: there and back, a line takes 50 to 150 ns between cores of one
// cache, more than 300 between dies.
constexpr auto kApart = std::chrono::nanoseconds(220);

// Waits for `condition`, up to kSpin or, as long as `patient` holds, up to kLongSpin; returns
// whether it came true. Yields in between: whoever is waited for may be waiting for this processor.
template <typename Condition, typename Patient>
bool spin_until(const Condition& condition, const Patient& patient) {
  const auto start = std::chrono::steady_clock::now();
  for (;;) {
    for (int i = 0; i < 32; ++i) {
      if (condition()) return true;
      pause_briefly();
    }
    std::this_thread::yield();
    const auto waited = std::chrono::steady_clock::now() - start;
    if (waited > kLongSpin || (waited > kSpin && !patient())) return condition();
  }
}

// Tasks [first, last) that nobody has claimed yet. Its thread claims them from the front, others,
// which have done theirs, from the back.
class alignas(64) Share {
 public:
  void set(int first, int last) { state_.store(packed(first, last), std::memory_order_relaxed); }

  // At most so many, as [first, last); false where there are none left.
  bool claim(bool own, int most, int& first, int& last) {
    std::uint64_t state = state_.load(std::memory_order_relaxed);
    for (;;) {
      const int begin = static_cast<int>(state >> 32), end = static_cast<int>(state & 0xffffffff);
      if (begin >= end) return false;
      const int count = std::min(most, end - begin);
      first = own ? begin : end - count;
      last = first + count;
      const std::uint64_t left = own ? packed(last, end) : packed(begin, first);
      if (state_.compare_exchange_weak(state, left, std::memory_order_relaxed)) return true;
    }
  }

 private:
  static std::uint64_t packed(int first, int last) {
    return static_cast<std::uint64_t>(first) << 32 | static_cast<std::uint32_t>(last);
  }

  std::atomic<std::uint64_t> state_{0};
};

// A cache line that two threads pass on in turn.
class Line {
 public:
  // The quickest of a few round trips, each a mean of some, on the first of two threads that both
  // call this; nothing where the other does not come soon.
  std::optional<std::chrono::nanoseconds> pass_on(bool first) {
    std::optional<std::chrono::nanoseconds> quickest;
    for (int turn = 0, round = 0; round <= kRounds; ++round) {
      const auto start = Clock::now();
      for (int trip = 0; trip < kTrips; ++trip, turn += 2) {
        if (first) turn_.store(turn + 1);
        if (!comes(first ? turn + 2 : turn + 1)) return std::nullopt;
        if (!first) turn_.store(turn + 2);
      }
      const std::chrono::nanoseconds trip = (Clock::now() - start) / kTrips;
      if (round > 0 && (!quickest || trip < *quickest)) quickest = trip;  // both are there by then
    }
    return quickest;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr int kRounds = 4, kTrips = 8, kPatience = 10000;

  bool comes(int turn) const {
    for (int looks = 0; looks < kPatience; ++looks) {
      if (turn_.load() == turn) return true;
    }
    return false;
  }

  alignas(64) std::atomic<int> turn_{0};
};

// Others touch what is in it only while it is asleep, under the pool's mutex.
struct Worker {
  std::thread thread;
  WokenThread woken;
  std::condition_variable work_came;
  bool asleep = false;
};

class Pool {
 public:
  void run(int count, int threads, const Task& task) {
    threads = std::min({threads, count, kMaxThreads});
    if (threads <= 1 || busy_.test_and_set(std::memory_order_acquire)) {
      for (int i = 0; i < count; ++i) task(i);
      return;
    }
    share_out(count, threads, task);
    if (threads == 2) look_how_far();
    busy_.clear(std::memory_order_release);
  }

  // Of two threads, lately.
  bool apart() const {
    return apart_.load(std::memory_order_relaxed) &&
           Clock::now().time_since_epoch().count() - looked_.load(std::memory_order_relaxed) <
               Clock::duration(kBelieved).count();
  }

  // Ends the workers; jobs after this are done by their callers alone.
  void stop() {
    while (busy_.test_and_set(std::memory_order_acquire))
      std::this_thread::yield();  // kept: nobody uses the pool again
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    for (int i = 0; i < started_; ++i) {
      workers_[i].work_came.notify_one();
      workers_[i].thread.join();
    }
    started_ = 0;
  }

  void begin_run() { runs_.fetch_add(1, std::memory_order_relaxed); }
  void end_run() { runs_.fetch_sub(1, std::memory_order_relaxed); }
  bool awake() const {
    return started_.load(std::memory_order_relaxed) > sleeping_.load(std::memory_order_relaxed);
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::uint64_t kInvitations = 0xffff;
  static constexpr std::uint64_t kInside =
      0x10000;  // one worker inside, counted in the bits above the invitations

  // With busy_ held.
  void share_out(int count, int threads, const Task& task) {
    const int invitations = start_workers(threads - 1);
    task_ = &task;
    share_count_ = threads;
    chunk_ = std::max(1, count / (threads * 8));
    caller_at_ = current_processor();
    for (int i = 0; i < threads; ++i) {
      shares_[i].set(static_cast<int>(std::int64_t{i} * count / threads),
                     static_cast<int>(std::int64_t{i + 1} * count / threads));
    }
    gate_.store(static_cast<std::uint64_t>(invitations));
    wake(invitations);
    work(0);  // the caller's
    gate_.fetch_and(~kInvitations);
    wait_for_others();
  }

  // With busy_ held, behind a job: whoever shared it is still awake.
  void look_how_far() {
    const auto now = Clock::now().time_since_epoch();
    if (now.count() - looked_.load(std::memory_order_relaxed) < Clock::duration(kLookAgain).count())
      return;
    looked_.store(now.count(), std::memory_order_relaxed);
    Line line;
    std::optional<std::chrono::nanoseconds> trip;
    const auto pass_on = [&](int index) {
      const auto found = line.pass_on(index == 0);
      if (index == 0) trip = found;
    };
    share_out(2, 2, pass_on);
    if (trip) apart_.store(*trip > kApart, std::memory_order_relaxed);
  }

  // The number of workers there are for this job; fewer than wanted where the system has no more
  // threads to give.
  int start_workers(int wanted) {
    if (processors_.load(std::memory_order_relaxed) == 0) processors_.store(available_threads());
    while (started_ < wanted) {
      try {
        workers_[started_].thread = std::thread([this, number = started_ + 1] { serve(number); });
      } catch (const std::system_error&) {
        break;
      }
      ++started_;
    }
    return std::min(started_.load(), wanted);
  }

  // Whether more work is about to come, and looking for it takes no processor from those who bring
  // it.
  bool more_to_come() const {
    const int runs = runs_.load(std::memory_order_relaxed);
    return runs > 0 && runs + started_.load(std::memory_order_relaxed) <=
                           processors_.load(std::memory_order_relaxed);
  }

  void serve(int number) {
    Worker& worker = workers_[number - 1];
    worker.woken.introduce();
    for (;;) {
      int place = 0;
      const auto entered = [this, &place] { return (place = enter()) != 0; };
      if (!spin_until(entered, [this] { return more_to_come(); })) {
        sleep_until(worker, entered);
        if (place == 0) return;
        worker.woken.anywhere_again();
      }
      // Who slept while waiting for this thread may have woken up here.
      if (current_processor() == caller_at_) worker.woken.move_away();
      // The same share in every job, where there are as many as workers.
      work(number < share_count_ ? number : place);
      leave();
    }
  }

  // Or until the pool ends.
  template <typename Condition>
  void sleep_until(Worker& worker, const Condition& entered) {
    std::unique_lock<std::mutex> lock(mutex_);
    ++sleeping_;
    worker.asleep = true;
    worker.work_came.wait(lock, [this, &entered] { return stopping_ || entered(); });
    worker.asleep = false;
    --sleeping_;
  }

  // Takes an invitation, and returns its number from 1 on; 0 where none is left.
  int enter() {
    std::uint64_t gate = gate_.load();
    while ((gate & kInvitations) != 0) {
      if (gate_.compare_exchange_weak(gate, gate - 1 + kInside))
        return static_cast<int>(gate & kInvitations);
    }
    return 0;
  }

  void leave() {
    if (gate_.fetch_sub(kInside) - kInside >= kInside) return;
    if (!caller_sleeps_.load()) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    all_left_.notify_one();
  }

  // This share first, then what is left of the others.
  void work(int own) {
    const Task& task = *task_;
    for (int i = 0; i < share_count_; ++i) {
      Share& share = shares_[(own + i) % share_count_];
      for (int first, last; share.claim(i == 0, chunk_, first, last);) {
        for (int index = first; index < last; ++index) task(index);
      }
    }
  }

  // Pairs with serve(): either this sees the sleeper, or the sleeper sees the gate open.
  void wake(int workers) {
    if (sleeping_.load() == 0) return;
    const std::lock_guard<std::mutex> lock(mutex_);  // no sleeper is between looking and waiting
    int missing = workers - (started_ - sleeping_);  // those awake come by themselves
    for (int i = 0; i < started_ && missing > 0; ++i) {
      Worker& worker = workers_[i];
      if (!worker.asleep) continue;
      worker.woken.keep_off_mine();
      worker.work_came.notify_one();
      --missing;
    }
  }

  void wait_for_others() {
    const auto empty = [this] { return gate_.load() < kInside; };
    if (spin_until(empty, [] { return false; })) return;
    std::unique_lock<std::mutex> lock(mutex_);
    caller_sleeps_.store(true);
    all_left_.wait(lock, empty);
    caller_sleeps_.store(false);
  }

  std::atomic_flag busy_ = ATOMIC_FLAG_INIT;  // held by the caller whose job this is
  std::atomic<std::uint64_t> gate_{0};
  Share shares_[kMaxThreads];
  int share_count_ = 0;
  const Task* task_ = nullptr;
  int chunk_ = 1;       // tasks claimed at once
  int caller_at_ = -1;  // the processor on which the caller began

  std::mutex mutex_;  // for sleeping only
  std::condition_variable all_left_;
  std::atomic<int> sleeping_{0};
  std::atomic<bool> caller_sleeps_{false};
  bool stopping_ = false;

  std::atomic<bool> apart_{false};
  std::atomic<Clock::rep> looked_{std::numeric_limits<Clock::rep>::min() / 2};  // when

  std::atomic<int> runs_{0};        // under way; each may bring jobs
  std::atomic<int> processors_{0};  // this process may use; 0: nobody has asked yet
  std::atomic<int> started_{0};
  Worker workers_[kMaxThreads];
};

// The pool is never destroyed, so that code running late, in other destructors, still finds it.
alignas(Pool) unsigned char storage[sizeof(Pool)];
std::atomic<Pool*> current{nullptr};
std::mutex creation;

Pool& pool() {
  Pool* found = current.load(std::memory_order_acquire);
  if (found != nullptr) return *found;
  const std::lock_guard<std::mutex> lock(creation);
  found = current.load(std::memory_order_relaxed);
  if (found == nullptr) {
    static const int registered = pthread_atfork(nullptr, nullptr, [] {
      // The child has none of the workers, and the state they were in is of no use: start again in
      // the same place.
      new (&creation) std::mutex;
      if (current.load(std::memory_order_relaxed) != nullptr) new (storage) Pool;
    });
    static_cast<void>(registered);
    found = new (storage) Pool;
    current.store(found, std::memory_order_release);
  }
  return *found;
}

// Joins the workers when the process, or the library, goes away.
struct AtExit {
  ~AtExit() {
    if (Pool* found = current.load(std::memory_order_acquire)) found->stop();
  }
} at_exit;

}  // namespace

void parallel_for(int count, int threads, Task task) { pool().run(count, threads, task); }

bool workers_awake() { return pool().awake(); }

bool workers_apart() { return pool().apart(); }

RunUnderWay::RunUnderWay() { pool().begin_run(); }
RunUnderWay::~RunUnderWay() { pool().end_run(); }

}  // namespace pdrt::cpu
