// What stage code is written in, as the host compiles it: half precision, the warp's matrix product in its documented
// layout, reductions, launches, and waits that end.
#include "cuda/device/portable.h"

#include <cmath>
#include <cstdlib>

#include "cuda/device/launch.h"
#include "cuda/exchange/exchange.h"
#include "cuda/products/mma.h"
#include "expect.h"

namespace {

using namespace sharks::cuda;

// The value of a half by its definition.
double meaning(uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const double size = exponent ? std::ldexp(1024 + fraction, exponent - 25) : std::ldexp(fraction, -24);
  return bits & 0x8000 ? -size : size;
}

void every_half_means_what_it_should_and_comes_back() {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const Half half{static_cast<uint16_t>(bits)};
    const float value = to_float(half);
    if ((bits & 0x7C00) == 0x7C00) {
      EXPECT(bits & 1023 ? std::isnan(value) : std::isinf(value));
      EXPECT(std::signbit(value) == (bits >> 15));
    } else {
      EXPECT(value == meaning(half.bits));
      EXPECT(to_half(value).bits == half.bits);
    }
  }
}

void rounding_goes_to_the_nearest_half_and_ties_to_even() {
  for (uint32_t bits = 0; bits < 0x7BFF; ++bits) {
    const float low = to_float(Half{static_cast<uint16_t>(bits)}),
                high = to_float(Half{static_cast<uint16_t>(bits + 1)});
    const float middle = static_cast<float>((static_cast<double>(low) + high) / 2);  // exact
    EXPECT(to_half(middle).bits == (bits % 2 ? bits + 1 : bits));
    EXPECT(to_half(std::nextafterf(middle, 0)).bits == bits);
    EXPECT(to_half(std::nextafterf(middle, INFINITY)).bits == bits + 1);
    EXPECT(to_half(-middle).bits == (to_half(middle).bits | 0x8000));
  }
  EXPECT(to_half(65519.99f).bits == 0x7BFF && to_half(65520.0f).bits == 0x7C00 && to_half(NAN).bits == 0x7E00);
}

float whole(uint32_t i) { return static_cast<float>(static_cast<int>(i * 2654435761u >> 26) - 32); }

void a_tile_product_is_the_product_of_its_places() {
  float A[16][16], B[16][8], want[16][8];
  for (uint32_t i = 0; i < 256; ++i) A[i / 16][i % 16] = whole(i + 1);
  for (uint32_t i = 0; i < 128; ++i) B[i / 8][i % 8] = whole(i + 1000);
  Lanes<FragmentA> a;
  Lanes<FragmentB> b;
  Lanes<Accumulator> c;
  int seen[16][8] = {};
  for (int lane = 0; lane < kWarp; ++lane) {
    for (int pair = 0; pair < 4; ++pair) {
      const Place at = place_in_a(lane, pair);
      a[lane].pair[pair] = pack_halves(A[at.row][at.column], A[at.row][at.column + 1]);
    }
    for (int pair = 0; pair < 2; ++pair) {
      const Place at = place_in_b(lane, pair);
      b[lane].pair[pair] = pack_halves(B[at.row][at.column], B[at.row + 1][at.column]);
    }
    for (int i = 0; i < 4; ++i) {
      const Place at = place_in_c(lane, i);
      ++seen[at.row][at.column];
      c[lane].value[i] = want[at.row][at.column] = whole(static_cast<uint32_t>(lane * 4 + i + 5000));
    }
  }
  mma(c, a, b);
  for (int row = 0; row < 16; ++row)
    for (int column = 0; column < 8; ++column) {
      EXPECT(seen[row][column] == 1);
      for (int k = 0; k < 16; ++k) want[row][column] += A[row][k] * B[k][column];  // whole numbers: exact
    }
  for (int lane = 0; lane < kWarp; ++lane)
    for (int i = 0; i < 4; ++i) EXPECT(c[lane].value[i] == want[place_in_c(lane, i).row][place_in_c(lane, i).column]);
}

void a_warp_reduces_to_the_same_everywhere() {
  Lanes<int> value;
  for (int lane = 0; lane < kWarp; ++lane) value[lane] = lane * lane % 37;
  Warp{0}.reduce(value, [](int x, int y) { return x > y ? x : y; });
  for (int lane = 0; lane < kWarp; ++lane) EXPECT(value[lane] == 36);
}

// Blocks hand a number round; each adds one.
struct Relay {
  static constexpr int kThreads = 32;
  uint64_t* words;  // [2, blocks]
  int32_t* trouble;
  float* sums;  // [blocks]
  uint32_t rounds;
  bool silent;

  SHARKS_BOTH void operator()(const Block& block) const {
    bool ok = true;
    const int before = (block.index + block.blocks - 1) % block.blocks;
    for (uint32_t round = 1; round <= rounds && ok; ++round) {
      // Who publishes round + 2 has the word of round + 1 from his neighbour, who sent it after reading round.
      uint64_t* now = words + round % 2 * static_cast<uint32_t>(block.blocks);
      float heard = 0;
      block.each(1, [&](int) {
        if (block.index == 0 && !silent) publish(&now[0], static_cast<float>(round), round);
        ok = await(&now[before], round, heard, trouble);
        if (ok && block.index > 0) publish(&now[block.index], heard + 1, round);
        if (ok) sums[block.index] += heard;
      });
      ok = block.agree(ok);
    }
  }
};

void blocks_that_wait_for_each_other_run_at_once() {
  constexpr int kBlocks = 4, kRounds = 200;
  Array<uint64_t> words(2 * kBlocks);
  Array<int32_t> trouble(1);
  Array<float> sums(kBlocks);
  launch(Grid{kBlocks, 32, 0, true}, Relay{words.data(), trouble.data(), sums.data(), kRounds, false}, nullptr);
  EXPECT(trouble.data()[0] == kNoTrouble);
  const float total = kRounds * (kRounds + 1) / 2.0f;
  for (int i = 0; i < kBlocks; ++i)
    EXPECT(sums.data()[i] == total + static_cast<float>((i + kBlocks - 1) % kBlocks * kRounds));
}

void nobody_waits_for_ever() {
  Array<uint64_t> words(6);
  Array<int32_t> trouble(1);
  Array<float> sums(3);
  const uint64_t start = nanoseconds();
  launch(Grid{3, 32, 0, true}, Relay{words.data(), trouble.data(), sums.data(), 5, true}, nullptr);
  EXPECT(trouble.data()[0] == kWaitedTooLong);
  EXPECT(nanoseconds() - start >= kPatience && nanoseconds() - start < 10 * kPatience);
}

struct Mark {
  static constexpr int kThreads = 64;
  int* times;
  SHARKS_BOTH void operator()(const Block& block) const {
    Registers<int> kept(block);
    block.warps([&](const Warp& warp) { warp.lanes([&](int lane) { kept[warp][lane] = warp.index * kWarp + lane; }); });
    block.sync();
    block.warps([&](const Warp& warp) {
      warp.lanes([&](int lane) { times[block.index * block.threads + kept[warp][lane]] += 1; });
    });
    block.each(10, [&](int i) { static_cast<unsigned char*>(block.shared)[i] = 1; });
  }
};

void every_thread_of_every_block_works_once_and_keeps_its_registers() {
  Array<int> times(5 * 64);
  launch(Grid{5, 64, 10}, Mark{times.data()}, nullptr);
  for (int i = 0; i < 5 * 64; ++i) EXPECT(times.data()[i] == 1);
}

}  // namespace

int main() {
  every_half_means_what_it_should_and_comes_back();
  rounding_goes_to_the_nearest_half_and_ties_to_even();
  a_tile_product_is_the_product_of_its_places();
  a_warp_reduces_to_the_same_everywhere();
  every_thread_of_every_block_works_once_and_keeps_its_registers();
  blocks_that_wait_for_each_other_run_at_once();
  nobody_waits_for_ever();
  return sharks::test::failures();
}
