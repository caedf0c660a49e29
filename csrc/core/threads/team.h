// Threads that share single products of a step. Between products they spin, because a product lasts microseconds and
// waking a sleeper lasts as long; they sleep between sessions.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <utility>

#include "core/threads/threads.h"

namespace sharks {

inline void pause_cpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Spins before a thread begins to let others run: some microseconds, longer than a product lasts. A yield on a busy
// machine may give the core away for milliseconds, so that it is the last thing to do and not the first.
constexpr int kSpins = 4096;

// Spin until ready(); after a while let others run, in case this thread holds the core that they wait for. Returns the
// seconds spent on that.
template <typename Ready>
double spin_until(const Ready& ready) {
  for (int spins = 0; spins < kSpins; ++spins) {
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

  // Run `work` on the calling thread while the others stand by for share(). What `work` throws comes out here. A
  // session that begins while the team rests is the lead's alone: calling members whose cores are taken, and waiting
  // until each has come and gone, costs milliseconds.
  template <typename Work>
  void session(const Work& work) {
    if (Clock::now() < rest_until_) return work();
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
    if (resting_) resting_ = still_resting();
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
    if (late > 0) miss(late);
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
      const auto called = [&] { return ticket_.load(std::memory_order_acquire) != seen; };
      const auto napping = [&] { return napping_.load(std::memory_order_relaxed); };
      // While the team rests a member does not spin: on a busy machine it would take from others, its lead among them.
      do {
        while (napping() && !called()) std::this_thread::sleep_for(kNap);
        spin_until([&] { return called() || napping(); });
      } while (!called());
      ++seen;
      if (closed_.load(std::memory_order_relaxed)) return;
      call_(part_, member);
      pending_.fetch_sub(1, std::memory_order_release);
    }
  }

  // What a member came too late, added up: one that shares its core with the lead is late by little, but in each
  // product.
  void miss(double late) {
    const auto now = Clock::now();
    if (now > missed_since_ + kWindow) missed_since_ = now, missed_ = 0;
    missed_ += late;
    if (missed_ < kLate) return;
    rest(std::exchange(missed_, 0));
  }

  // A member that comes so late was not running: another program has its core. Waiting for it again and again would
  // cost more than it helps, so the team shares nothing for ten times as long as it waited, and loses a tenth at most.
  // Where it is late again at once, its core is not to be had for long: each rest is twice as long as the one before.
  void rest(double late) {
    const auto now = Clock::now();
    const bool again = now < rest_until_ + kSoon;
    rest_ = std::max(kRest * late, again ? std::min(2 * rest_, kLongestRest) : 0.0);
    rest_until_ = now + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(rest_));
    napping_.store(true, std::memory_order_relaxed);
    resting_ = true;
  }

  // The members are called from their naps before the lead counts on them, and so have time to come.
  bool still_resting() {
    const auto now = Clock::now();
    if (now >= rest_until_) napping_.store(false, std::memory_order_relaxed);
    return now < rest_until_ + 2 * kNap;
  }

  static constexpr double kLate = 3e-4;  // seconds within a window; a core that is lost is lost for milliseconds
  static constexpr std::chrono::milliseconds kWindow{10};
  static constexpr double kRest = 10;
  static constexpr double kLongestRest = 2;  // seconds
  static constexpr std::chrono::milliseconds kSoon{100};
  static constexpr std::chrono::microseconds kNap{500};
  using Clock = std::chrono::steady_clock;

  const int size_;
  bool resting_ = false;
  double missed_ = 0, rest_ = 0;  // seconds
  Clock::time_point missed_since_;
  Clock::time_point rest_until_;
  bool alone_ = true;
  void* part_ = nullptr;
  void (*call_)(void*, int) = nullptr;
  // On lines of their own: the lead writes one while the others spin on it.
  alignas(64) std::atomic<uint64_t> ticket_{0};
  alignas(64) std::atomic<int> pending_{0};
  alignas(64) std::atomic<bool> closed_{true};
  std::atomic<bool> napping_{false};
  Crew crew_;  // last: its threads must be gone before what they read
};

}  // namespace sharks
