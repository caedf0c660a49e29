// The one draw on a device: level = argmax(logit + temperature noise), to the bit as core/chance/sampling.h draws it.
// Kernels differ in who holds which logits and when the noise is made; what the noise is, how scores compare, and how a
// warp finds the best of them stands here alone.
#pragma once

#include "core/chance/sampling.h"
#include "cuda/device/portable.h"
#include "cuda/player/plan.h"

namespace sharks::cuda {

// What four neighbouring levels get on top of their logits.
struct Noise {
  float of[4];
};

// The noise of the levels 4 quad .. + 3 of stream b at sample t of the launch, times its temperature. Zero where that
// is zero, and where levels are given.
SHARKS_BOTH Noise noise_of(const Samples& samples, int b, int64_t t, int quad) {
  Noise noise = {};
  const float temperature = samples.temperature ? samples.temperature[b * samples.n + t] : 0.0f;
  if (temperature == 0.0f) return noise;
  const uint64_t step = static_cast<uint64_t>(samples.step + t);
  const Philox random = philox(static_cast<uint32_t>(quad), static_cast<uint32_t>(step),
                               static_cast<uint32_t>(step >> 32), static_cast<uint32_t>(samples.streams[b]),
                               static_cast<uint32_t>(samples.seed), static_cast<uint32_t>(samples.seed >> 32));
  SHARKS_UNROLL(4)
  for (int j = 0; j < 4; ++j) noise.of[j] = temperature * gumbel(random.word[j]);
  return noise;
}

// A score as a whole number in the same order. Equal scores have equal keys, for -0 becomes 0; key 0 is below all.
SHARKS_BOTH uint32_t key_of(float score) {
  const uint32_t bits = bits_as<uint32_t>(score + 0.0f);
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

// A key and its level as one number that is larger for the better score, and for the lower level of equal scores. Rank
// 0 is below all.
SHARKS_BOTH uint64_t rank_of_key(uint32_t key, int level) {
  return static_cast<uint64_t>(key) << 32 | (0xFFFFFFFFu - static_cast<uint32_t>(level));
}
SHARKS_BOTH uint64_t ranked(float score, int level) { return rank_of_key(key_of(score), level); }
SHARKS_BOTH uint32_t key_of_rank(uint64_t rank) { return static_cast<uint32_t>(rank >> 32); }
SHARKS_BOTH int level_of(uint64_t rank) { return static_cast<int>(0xFFFFFFFFu - static_cast<uint32_t>(rank)); }

SHARKS_BOTH uint64_t better(uint64_t rank, uint64_t other) { return rank > other ? rank : other; }

// Every lane learns the best rank that one of them holds.
SHARKS_BOTH void agree_on_best(const Warp& warp, Lanes<uint64_t>& best) {
  warp.reduce(best, [](uint64_t a, uint64_t b) { return better(a, b); });
}

// The best of rank(0) .. rank(n - 1), in every lane; the calls are dealt out to the warp's lanes.
template <typename Rank>
SHARKS_BOTH Lanes<uint64_t> best_rank(const Warp& warp, int n, const Rank& rank) {
  Lanes<uint64_t> best;
  warp.lanes([&](int lane) {
    best[lane] = 0;
    for (int i = lane; i < n; i += kWarp) best[lane] = better(best[lane], rank(i));
  });
  agree_on_best(warp, best);
  return best;
}

}  // namespace sharks::cuda
