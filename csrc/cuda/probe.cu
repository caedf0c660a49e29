// What this GPU needs for the steps that a sample cannot do without, in clocks, each from a chain in which every step
// waits for the one before. bench/floor.py makes floors of it.
#include "cuda/cuda.h"
#include "cuda/device/launch.h"
#include "cuda/exchange/exchange.h"
#include "cuda/products/mma.h"

namespace sharks::cuda {
namespace {

constexpr int kSteps = 512, kHops = 2000, kBarrierThreads = 256;

SHARKS_BOTH int64_t clocks() {
#ifdef __CUDACC__
  return clock64();
#else
  return static_cast<int64_t>(nanoseconds());
#endif
}

// A load from shared memory whose address the one before gave.
struct SharedLoads {
  static constexpr int kThreads = 32;
  int64_t* took;
  SHARKS_BOTH void operator()(const Block& block) const {
    int* next = static_cast<int*>(block.shared);
    block.each(kWarp, [&](int i) { next[i] = (i + 7) % kWarp; });
    block.sync();
    block.each(1, [&](int) {
      int at = 0;
      const int64_t start = clocks();
      for (int i = 0; i < kSteps; ++i) at = next[at];
      took[0] = clocks() - start;
      took[1] = at;  // so that the loop is not left out
    });
  }
};

struct Barriers {
  static constexpr int kThreads = kBarrierThreads;
  int64_t* took;
  SHARKS_BOTH void operator()(const Block& block) const {
    block.sync();
    const int64_t start = clocks();
    for (int i = 0; i < kSteps; ++i) block.sync();
    const int64_t end = clocks();
    block.each(1, [&](int) { took[0] = end - start; });
  }
};

// Tile products that add to one accumulator.
struct Tiles {
  static constexpr int kThreads = 32;
  int64_t* took;
  SHARKS_BOTH void operator()(const Block& block) const {
    block.warps([&](const Warp& warp) {
      Lanes<FragmentA> a;
      Lanes<FragmentB> b;
      Lanes<Accumulator> c;
      warp.lanes([&](int lane) {
        a[lane] = {{0, 0, 0, 0}};
        b[lane] = {{0, 0}};
        c[lane] = {{1, 1, 1, 1}};
      });
      const int64_t start = clocks();
      for (int i = 0; i < kSteps; ++i) mma(c, a, b);
      const int64_t end = clocks();
      warp.lanes([&](int lane) {
        if (lane == 0) took[0] = end - start, took[1] = static_cast<int64_t>(c[lane].value[0]);
      });
    });
  }
};

// A number that goes from block to block and back, through L2. Each waits for what it answers, so two words suffice.
struct PingPong {
  static constexpr int kThreads = 32;
  int64_t* took;
  uint64_t* words;  // one for each direction
  int32_t* trouble;
  SHARKS_BOTH void operator()(const Block& block) const {
    block.each(1, [&](int) {
      bool ok = true;
      float heard = 0;
      const int64_t start = clocks();
      for (uint32_t hop = 1; hop <= kHops && ok; ++hop) {
        if (block.index == 0) publish(&words[0], heard + 1, hop);
        ok = await(&words[1 - block.index], hop, heard, trouble);
        if (ok && block.index == 1) publish(&words[1], heard, hop);
      }
      if (block.index == 0) took[0] = clocks() - start;
    });
  }
};

struct ClockRate {
  static constexpr int kThreads = 32;
  int64_t* took;
  SHARKS_BOTH void operator()(const Block& block) const {
    block.each(1, [&](int) {
      const uint64_t begin = nanoseconds();
      const int64_t start = clocks();
      while (nanoseconds() - begin < 5000000) {
      }
      took[0] = clocks() - start;
      took[1] = static_cast<int64_t>(nanoseconds() - begin);
    });
  }
};

}  // namespace

Latencies probe() {
  const OwnStream stream;
  Array<int64_t> took(2);
  Array<uint64_t> words(2);
  Array<int32_t> trouble(1);
  int64_t found[2];
  const auto clocks_of = [&](const Grid& grid, const auto& work, int steps) {
    for (int round = 0; round < 2; ++round) {  // the second finds the code in the cache
      words.zero(stream);
      launch(grid, work, stream);
    }
    took.download(found, stream);
    return static_cast<double>(found[0]) / steps;
  };
  Latencies result;
  result.shared_load = clocks_of(Grid{1, 32, 256}, SharedLoads{took.data()}, kSteps);
  result.barrier = clocks_of(Grid{1, kBarrierThreads}, Barriers{took.data()}, kSteps);
  result.tile = clocks_of(Grid{1, 32}, Tiles{took.data()}, kSteps);
  result.hop = clocks_of(Grid{2, 32, 0, true}, PingPong{took.data(), words.data(), trouble.data()}, 2 * kHops);
  clocks_of(Grid{1, 32}, ClockRate{took.data()}, 1);
  result.clock = 1e9 * static_cast<double>(found[0]) / static_cast<double>(found[1]);
  return result;
}

}  // namespace sharks::cuda
