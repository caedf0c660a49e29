// A crew of persistent threads that do one job together and wait for the next. The caller is one of them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "core/check.h"

namespace sharks {

class Crew {
 public:
  explicit Crew(int size) {
    try {
      for (int i = 1; i < size; ++i) threads_.emplace_back([this, i] { serve(i); });
    } catch (const std::system_error&) {
      leave();
      refuse("threads is ", size, ", but this machine lets no more than ", threads_.size() + 1, " run; use fewer");
    } catch (...) {
      leave();
      throw;
    }
  }

  ~Crew() { leave(); }

  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  // Call job(0) .. job(size - 1), each on its own thread; return when all are done. The first exception is rethrown.
  void run(const std::function<void(int)>& job) {
    {
      std::lock_guard lock(mutex_);
      job_ = &job;
      busy_ = static_cast<int>(threads_.size());
      ++round_;
    }
    wake_.notify_all();
    attempt(job, 0);
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return busy_ == 0; });
    job_ = nullptr;
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

 private:
  void leave() {
    {
      std::lock_guard lock(mutex_);
      leaving_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  void serve(int index) {
    for (uint64_t seen = 0;;) {
      const std::function<void(int)>* job;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return leaving_ || round_ != seen; });
        if (leaving_) return;
        seen = round_;
        job = job_;
      }
      attempt(*job, index);
      std::lock_guard lock(mutex_);
      if (--busy_ == 0) done_.notify_one();
    }
  }

  void attempt(const std::function<void(int)>& job, int index) {
    try {
      job(index);
    } catch (...) {
      std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  const std::function<void(int)>* job_ = nullptr;
  int busy_ = 0;
  uint64_t round_ = 0;
  bool leaving_ = false;
  std::exception_ptr error_;
  std::vector<std::thread> threads_;
};

}  // namespace sharks
