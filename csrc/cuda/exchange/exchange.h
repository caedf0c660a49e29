// How blocks that run at once hand each other numbers through L2. No wait is for ever, see device/trouble.h.
//
// A word is {value, sequence} in 64 bits, written and read whole: who reads the sequence he waits for has the value,
// and no fence is needed. Two words per place, used in turn, suffice where nobody writes sequence s + 2 before all have
// read s; each exchange must say why that holds. For bulk data guarded by a flag there are raise() and await_raised().
#pragma once

#include "cuda/device/portable.h"
#include "cuda/device/trouble.h"

#ifndef __CUDACC__
#include <chrono>
#include <thread>
#endif

namespace sharks::cuda {

SHARKS_BOTH uint64_t nanoseconds() {
#ifdef __CUDACC__
  uint64_t now;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
  return now;
#else
  return static_cast<uint64_t>(std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count());
#endif
}

// In a stress build a random while before every hop, so that an order that only luck keeps is broken.
SHARKS_BOTH void stress() {
#ifdef SHARKS_STRESS
  uint32_t chance = static_cast<uint32_t>(nanoseconds()) * 2654435761u;
#ifdef __CUDACC__
  chance ^= (blockIdx.x * 40503u + threadIdx.x) * 2246822519u;
  __nanosleep(chance >> 20);  // up to four microseconds
#else
  if (chance >> 29 == 0) std::this_thread::sleep_for(std::chrono::microseconds(chance >> 24));
#endif
#endif
}

SHARKS_BOTH void store_word(uint64_t* word, uint64_t value) {
#ifdef __CUDACC__
  asm volatile("st.relaxed.gpu.global.u64 [%0], %1;" ::"l"(word), "l"(value) : "memory");
#else
  __atomic_store_n(word, value, __ATOMIC_RELEASE);
#endif
}

SHARKS_BOTH uint64_t load_word(const uint64_t* word) {
#ifdef __CUDACC__
  uint64_t value;
  asm volatile("ld.relaxed.gpu.global.u64 %0, [%1];" : "=l"(value) : "l"(word) : "memory");
  return value;
#else
  return __atomic_load_n(word, __ATOMIC_ACQUIRE);
#endif
}

SHARKS_BOTH int32_t load_trouble(const int32_t* trouble) {
#ifdef __CUDACC__
  int32_t value;
  asm volatile("ld.relaxed.gpu.global.s32 %0, [%1];" : "=r"(value) : "l"(trouble) : "memory");
  return value;
#else
  return __atomic_load_n(trouble, __ATOMIC_RELAXED);
#endif
}

SHARKS_BOTH void store_trouble(int32_t* trouble, int32_t value) {
#ifdef __CUDACC__
  asm volatile("st.relaxed.gpu.global.s32 [%0], %1;" ::"l"(trouble), "r"(value) : "memory");
#else
  __atomic_store_n(trouble, value, __ATOMIC_RELAXED);
#endif
}

// Spin until ready(), or until given_up(nanoseconds), asked now and then, says so: then false.
template <typename Ready, typename GivenUp>
SHARKS_BOTH bool spin_until(const Ready& ready, const GivenUp& given_up) {
  uint64_t start = 0;
  for (;;) {
    for (int spins = 0; spins < 256; ++spins) {
      if (ready()) return true;
#ifndef __CUDACC__
      std::this_thread::yield();
#endif
    }
    const uint64_t now = nanoseconds();
    if (start == 0) start = now;
    if (given_up(now - start)) return false;
  }
}

// Spin until ready(); false when another thread met trouble, or when this one has waited too long and says so. Threads
// of a block then part ways: gather the answers with block.agree() before anybody leaves.
template <typename Ready>
SHARKS_BOTH bool wait_until(const Ready& ready, int32_t* trouble) {
  return spin_until(ready, [&](uint64_t waited) {
    if (load_trouble(trouble) != kNoTrouble) return true;
    if (waited < kPatience) return false;
    store_trouble(trouble, kWaitedTooLong);
    return true;
  });
}

SHARKS_BOTH void publish(uint64_t* word, float value, uint32_t sequence) {
  stress();
  store_word(word, static_cast<uint64_t>(sequence) << 32 | bits_as<uint32_t>(value));
}

// Wait for this sequence number, then give its value.
SHARKS_BOTH bool await(const uint64_t* word, uint32_t sequence, float& value, int32_t* trouble) {
  uint64_t seen = 0;
  stress();
  if (!wait_until([&] { return (seen = load_word(word)) >> 32 == sequence; }, trouble)) return false;
  value = bits_as<float>(static_cast<uint32_t>(seen));
  return true;
}

// Let whoever waits for `sequence` see all that this thread has written, and, after a block.sync(), what its block has.
// The release is a fence already; one before it would be a second.
SHARKS_BOTH void raise(uint32_t* flag, uint32_t sequence) {
  stress();
#ifdef __CUDACC__
  asm volatile("st.release.gpu.global.u32 [%0], %1;" ::"l"(flag), "r"(sequence) : "memory");
#else
  __atomic_store_n(flag, sequence, __ATOMIC_RELEASE);
#endif
}

SHARKS_BOTH bool reached(uint32_t seen, uint32_t sequence) { return static_cast<int32_t>(seen - sequence) >= 0; }

// Wait until the flag has reached `sequence` (numbers wrap); a block.sync() after it lets the whole block read.
SHARKS_BOTH bool await_raised(const uint32_t* flag, uint32_t sequence, int32_t* trouble) {
  stress();
  return wait_until(
      [&] {
#ifdef __CUDACC__
        uint32_t seen;  // an acquire throws the cache away: once, when there is something to acquire
        asm volatile("ld.relaxed.gpu.global.u32 %0, [%1];" : "=r"(seen) : "l"(flag) : "memory");
        if (!reached(seen, sequence)) return false;
        asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(seen) : "l"(flag) : "memory");
#else
        const uint32_t seen = __atomic_load_n(flag, __ATOMIC_ACQUIRE);
#endif
        return reached(seen, sequence);
      },
      trouble);
}

}  // namespace sharks::cuda
