// What the thread of a run did when, in a session that profiles.
#pragma once

#include <chrono>
#include <vector>

namespace pdrt::run {

using Clock = std::chrono::steady_clock;

constexpr int kNoStep = -1;

inline double milliseconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

struct Span {
  const char* what;
  int step;  // of the plan, or kNoStep
  Clock::time_point start, end;
};

class HostTrace {
 public:
  // Notes what is done between its making and its end.
  class Mark {
   public:
    Mark(HostTrace& trace, const char* what, int step) : trace_(trace), what_(what), step_(step) {
      if (trace_.on_) start_ = Clock::now();
    }
    ~Mark() {
      if (trace_.on_) trace_.spans_.push_back({what_, step_, start_, Clock::now()});
    }
    Mark(const Mark&) = delete;
    Mark& operator=(const Mark&) = delete;

   private:
    HostTrace& trace_;
    const char* const what_;
    const int step_;
    Clock::time_point start_;
  };

  void begin(bool on) {
    on_ = on;
    spans_.clear();
  }
  // Nothing is noted, and no clock is read, in a session that does not profile.
  [[nodiscard]] Mark mark(const char* what, int step = kNoStep) { return {*this, what, step}; }
  [[nodiscard]] Mark mark(const char* what, std::size_t step) {
    return {*this, what, static_cast<int>(step)};
  }
  const std::vector<Span>& spans() const { return spans_; }

 private:
  bool on_ = false;
  std::vector<Span> spans_;
};

}  // namespace pdrt::run
