// Threads that share single products of a step. Between products they spin, because a product lasts microseconds and
// waking a sleeper lasts as long; they sleep between sessions.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "core/threads/threads.h"

namespace sharks {

inline void pause_cpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Spin until ready(); after a while let others run, in case this thread holds the core that they wait for. Returns the
// seconds spent on that.
template <typename Ready>
double spin_until(const Ready& ready) {
  for (int spins = 0; spins < 512; ++spins) {
    if (ready()) return 0;
    pause_cpu();
  }
  const auto start = std::chrono::steady_clock::now();
  while (!ready()) std::this_thread::yield();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

class Team {
 public:
  explicit Team(int size) : size_(size), crew_(size) {}

  int size() const { return size_; }

  // Run `work` on the calling thread while the others stand by for share(). What `work` throws comes out here.
  template <typename Work>
  void session(const Work& work) {
    const uint64_t first = ticket_.load(std::memory_order_relaxed);
    crew_.run([&](int member) {
      if (member > 0) return serve(member, first);
      const Opening opening(*this);
      work();
    });
  }

  // Call part(0) .. part(size - 1) and return when all are done: in a session each on its own thread; outside one, or
  // while the machine is too busy to run all at once, on the calling thread.
  template <typename Part>
  void share(Part& part) {
    start(part);
    part(0);
    finish(part);
  }

  // share() in two halves, the lead's own work between them: the others begin part(1) .. part(size - 1) now, and are
  // done when finish() returns. They may wait for what the lead has yet to do, not the other way round: where they
  // cannot run beside it, their parts run in finish().
  template <typename Part>
  void start(Part& part) {
    static_assert(noexcept(part(0)), "in the middle of a product there is nobody to catch what a part throws");
    if (resting_) resting_ = Clock::now() < rest_until_;
    alone_ = resting_ || closed_.load(std::memory_order_relaxed);
    if (alone_) return;
    part_ = &part;
    call_ = [](void* p, int member) { (*static_cast<Part*>(p))(member); };
    pending_.store(size_ - 1, std::memory_order_relaxed);
    ticket_.fetch_add(1, std::memory_order_release);
  }

  template <typename Part>
  void finish(Part& part) {
    if (alone_) {
      for (int member = 1; member < size_; ++member) part(member);
      return;
    }
    const double late = spin_until([&] { return pending_.load(std::memory_order_acquire) == 0; });
    if (late < kLate) return;
    resting_ = true;
    rest_until_ =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(kRest * late));
  }

 private:
  // Also closes when work throws: the others would wait for ever.
  class Opening {
   public:
    explicit Opening(Team& team) : team_(team) { team_.closed_.store(false, std::memory_order_relaxed); }
    ~Opening() {
      team_.closed_.store(true, std::memory_order_relaxed);
      team_.ticket_.fetch_add(1, std::memory_order_release);
    }

   private:
    Team& team_;
  };

  void serve(int member, uint64_t seen) {
    for (;;) {
      spin_until([&] { return ticket_.load(std::memory_order_acquire) != seen; });
      ++seen;
      if (closed_.load(std::memory_order_relaxed)) return;
      call_(part_, member);
      pending_.fetch_sub(1, std::memory_order_release);
    }
  }

  // A member that comes so late was not running: another program has its core. Waiting for it again and again would
  // cost more than it helps, so the team shares nothing for ten times as long as it waited, and loses a tenth at most.
  static constexpr double kLate = 1e-3;  // seconds
  static constexpr double kRest = 10;
  using Clock = std::chrono::steady_clock;

  const int size_;
  bool resting_ = false;
  Clock::time_point rest_until_;
  bool alone_ = true;
  void* part_ = nullptr;
  void (*call_)(void*, int) = nullptr;
  // On lines of their own: the lead writes one while the others spin on it.
  alignas(64) std::atomic<uint64_t> ticket_{0};
  alignas(64) std::atomic<int> pending_{0};
  alignas(64) std::atomic<bool> closed_{true};
  Crew crew_;  // last: its threads must be gone before what they read
};

}  // namespace sharks
