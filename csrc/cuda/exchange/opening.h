// The opening of a launch whose blocks wait for each other: either all of them come and play, or none does, and nothing
// has changed. Blocks stay away where another program holds the processors that they should run on, whatever the GPU
// promised when it was asked how many run at once.
//
// One word decides for all: how many came, and whether it is closed. Who comes adds one; who has waited too long closes
// it, which succeeds only while not all are here. So no two blocks can differ, however late one is: it finds either all
// of them counted or the word closed. Blocks that start after others have left find it closed and leave at once.
//
// The word is cleared before every launch, in the stream's order: all blocks of the launch before, stragglers too, have
// ended by then, so none of them is counted again. Launches behind one that met trouble leave without counting: trouble
// is read first, and nobody in this launch writes it before all are counted or the word is closed.
#pragma once

#include "cuda/device/device.h"
#include "cuda/exchange/exchange.h"

namespace sharks::cuda {

constexpr uint64_t kClosed = uint64_t{1} << 63;

// What a kernel is told of its opening.
struct Opening {
  uint64_t* came;     // one word, cleared
  uint64_t patience;  // nanoseconds
};

SHARKS_BOTH void count_in(uint64_t* word) {
#ifdef __CUDACC__
  atomicAdd(reinterpret_cast<unsigned long long*>(word), 1ull);
#else
  __atomic_fetch_add(word, 1, __ATOMIC_ACQ_REL);
#endif
}

// Write `now` where `before` still is.
SHARKS_BOTH void replace_word(uint64_t* word, uint64_t before, uint64_t now) {
#ifdef __CUDACC__
  atomicCAS(reinterpret_cast<unsigned long long*>(word), before, now);
#else
  __atomic_compare_exchange_n(word, &before, now, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
#endif
}

// By one thread of each block.
SHARKS_BOTH bool came_together(const Opening& opening, int blocks, int32_t* trouble) {
  if (load_trouble(trouble) != kNoTrouble) return false;
  stress();
  count_in(opening.came);
  uint64_t seen = 0;
  const auto decided = [&] {
    seen = load_word(opening.came);
    if (seen == static_cast<uint64_t>(blocks) || (seen & kClosed)) return true;
#ifndef __CUDACC__
    std::this_thread::sleep_for(std::chrono::microseconds(20));
#endif
    return false;
  };
  spin_until(decided, [&](uint64_t waited) {
    if (waited >= opening.patience) replace_word(opening.came, seen, seen | kClosed);
    return false;  // the word decides
  });
  if (!(seen & kClosed)) return true;
  store_trouble(trouble, kTooFewCame);
  return false;
}

// Whether all blocks of the grid are here; every thread of every block learns the same. First of all in a kernel.
SHARKS_BOTH bool all_came(const Block& block, const Opening& opening, int32_t* trouble) {
  bool came = true;
  block.each(1, [&](int) { came = came_together(opening, block.blocks, trouble); });
  return block.agree(came);
}

// The host's end: the word, in device memory.
class OpeningWord {
 public:
  // For the next launch in this stream.
  Opening next(Stream stream) {
    word_.zero(stream);
    return {word_.data(), device().patience};
  }

 private:
  Array<uint64_t> word_{1};
};

}  // namespace sharks::cuda
