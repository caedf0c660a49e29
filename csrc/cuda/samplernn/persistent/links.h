// Where the words lie by which the blocks of a pipeline exchange vectors (exchange.h).
#pragma once

#include <cstdint>

#include "cuda/device/portable.h"

namespace sharks::cuda::samplernn::persistent {

// The words of one pipeline. Every vector has two slots, used in turn; kernel.h says why two are enough. Words are far,
// in device memory, or near: where the sample team is a cluster, its own vectors' words lie in the shared memory of
// each of its members, at the same place.
struct Links {
  int Dp, layers, tiers, hidden_count, S, candidates;

  // Which vector: one number per place in the step.
  SHARKS_BOTH int early() const { return 0; }
  SHARKS_BOTH int hidden(int i) const { return 1 + i; }
  SHARKS_BOTH int of_tier(int t) const { return 1 + hidden_count + t * (2 * layers + 2); }
  SHARKS_BOTH int expanded(int t) const { return of_tier(t); }
  SHARKS_BOTH int out(int t) const { return of_tier(t) + 1; }
  SHARKS_BOTH int state(int t, int k) const { return of_tier(t) + 2 + k; }
  SHARKS_BOTH int reset(int t, int k) const { return of_tier(t) + 2 + layers + k; }
  SHARKS_BOTH int vectors() const { return of_tier(tiers); }

  // Where a vector's words [S, Dp] of this round begin, counted from the pipeline's first; then come the candidates'.
  SHARKS_BOTH int64_t vector(int link, uint32_t round) const {
    return (static_cast<int64_t>(link) * 2 + round % 2) * S * Dp;
  }
  SHARKS_BOTH int64_t candidate(uint32_t round) const {
    return vector(vectors(), 0) + static_cast<int64_t>(round % 2) * S * candidates;
  }
  SHARKS_BOTH int64_t words() const { return candidate(0) + 2 * static_cast<int64_t>(S) * candidates; }

  SHARKS_BOTH int near_hidden(int i, uint32_t round) const { return (2 * i + static_cast<int>(round % 2)) * S * Dp; }
  SHARKS_BOTH int near_candidate(uint32_t round) const {
    return near_hidden(hidden_count, 0) + static_cast<int>(round % 2) * S * candidates;
  }
  SHARKS_BOTH int near_words() const { return near_candidate(0) + 2 * S * candidates; }
};

}  // namespace sharks::cuda::samplernn::persistent
