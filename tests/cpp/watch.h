// A window in the life of a thread, or of all threads, and what happens in it: allocations, locks, system calls.
//
// watch.cpp stands between the program and the C library: every malloc, calloc, realloc, aligned_alloc, posix_memalign
// and free (and so every new and delete), and every pthread mutex, condition, read-write lock and semaphore.
// trace.cpp counts the system calls of all threads from outside, whoever makes them.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>

namespace sharks::test {

// Lies in memory that the traced program shares with the process that traces it.
struct Board {
  static constexpr int kThreads = 4096;
  struct Thread {
    std::atomic<pid_t> id{0};
    std::atomic<bool> open{false};
  };
  std::atomic<bool> all_open{false};
  std::atomic<int> threads{0};
  Thread thread[kThreads];
  std::atomic<int64_t> allocations{0}, locks{0}, system_calls{0}, yields{0};
  std::atomic<long> last_call{-1};
  std::atomic<bool> traced{false};
};

Board& board();

// From here on what the calling thread does is counted, or what every thread does; until close.
void open_window(bool all_threads);
void close_window();

// Run `program` in a child whose system calls are counted; returns its exit status. Where tracing is not permitted the
// child runs all the same and board().traced stays false.
int trace(int (*program)());

}  // namespace sharks::test
