// Logits -> level by the Gumbel-max identity; sharks/levels/sampling.py states it, this draws the same bits.
//
// Every product and sum here rounds on its own. Compile with contraction off (-ffp-contract=off): a fused multiply-add
// would draw other bits.
#pragma once

#include <cstdint>
#include <cstring>

#include "core/chance/philox.h"

namespace sharks {

// The middle of one of 2^23 cells of (0, 1), exact in float32.
SHARKS_HD float uniform(uint32_t word) {
  return (static_cast<float>(static_cast<int32_t>(word >> 9)) + 0.5f) * 0x1p-23f;
}

// ln x of a normal positive x, within 0.84 ulp on the values of `uniform`: x = m 2^k with m in [sqrt(1/2), sqrt(2)),
// ln(1 + z) = z - z^2/2 + z^3 P(z), small terms first.
SHARKS_HD float sample_log(float x) {
  int32_t bits;
  memcpy(&bits, &x, sizeof bits);
  const int32_t exponent = (bits - 0x3F3504F3) >> 23;
  bits -= exponent * (1 << 23);
  float m;
  memcpy(&m, &bits, sizeof m);
  const float z = m - 1.0f;
  const float k = static_cast<float>(exponent);
  float p = -0x1.38c9dep-4f;
  p = p * z + 0x1.055ec6p-3f;
  p = p * z + -0x1.0d8242p-3f;
  p = p * z + 0x1.22d92ep-3f;
  p = p * z + -0x1.54728ap-3f;
  p = p * z + 0x1.99a01cp-3f;
  p = p * z + -0x1.000226p-2f;
  p = p * z + 0x1.555554p-2f;
  const float square = z * z;
  float total = (p * z) * square;
  total = total + k * 0x1.7f7d1cp-20f;  // ln 2, low part
  total = total - 0.5f * square;
  total = total + z;
  return total + k * 0x1.62e4p-1f;  // ln 2, high part: its product is exact
}

SHARKS_HD float gumbel(uint32_t word) { return -sample_log(-sample_log(uniform(word))); }

constexpr int kNoiseBlock = 64;  // levels at once, so that the compiler may work on whole vectors

// The noise of the levels first .. first + 63; first is a multiple of 64.
SHARKS_HD void gumbel_block(int first, uint64_t seed, int64_t stream, int64_t step, float* noise) {
  constexpr int kCounters = kNoiseBlock / 4;
  uint32_t words[4][kCounters];
  for (int c = 0; c < kCounters; ++c) {
    const Philox block = philox(static_cast<uint32_t>(first / 4 + c), static_cast<uint32_t>(step),
                                static_cast<uint32_t>(static_cast<uint64_t>(step) >> 32), static_cast<uint32_t>(stream),
                                static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32));
    for (int w = 0; w < 4; ++w) words[w][c] = block.word[w];
  }
  for (int w = 0; w < 4; ++w)
    for (int c = 0; c < kCounters; ++c) noise[4 * c + w] = gumbel(words[w][c]);
}

// The level drawn from logits [Q] (finite) at this place of the noise; temperature 0 is the plain argmax.
SHARKS_HD int32_t draw_level(const float* logits, int Q, float temperature, uint64_t seed, int64_t stream,
                             int64_t step) {
  float noise[kNoiseBlock] = {};
  float best = -__builtin_inff();
  int32_t level = 0;
  for (int first = 0; first < Q; first += kNoiseBlock) {
    if (temperature != 0.0f) gumbel_block(first, seed, stream, step, noise);
    const int count = Q - first < kNoiseBlock ? Q - first : kNoiseBlock;
    for (int k = 0; k < count; ++k) {
      const float score = logits[first + k] + temperature * noise[k];
      if (score > best) best = score, level = first + k;
    }
  }
  return level;
}

}  // namespace sharks
