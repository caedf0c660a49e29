// The draw of core/chance/sampling.h on whole vectors, to the same bits: sixteen Philox counters side by side make the
// noise of 64 levels. Where vec.h has no vectors of words, core/chance/sampling.h itself draws.
#pragma once

#include "core/chance/sampling.h"
#include "cpu/simd/vec.h"

namespace sharks::cpu {
namespace {

#if defined(__AVX512F__) || defined(__AVX2__)

// philox() of core/chance/philox.h; `c` are the four words of each counter, and become the four words of its noise.
inline void philox_words(Words (&c)[4], uint32_t k0, uint32_t k1) {
  for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
    Words high0, low0, high1, low1;
    multiply_wide(c[0], Words::all(0xD2511F53u), high0, low0);
    multiply_wide(c[2], Words::all(0xCD9E8D57u), high1, low1);
    c[0] = high1 ^ c[1] ^ Words::all(k0), c[1] = low1;
    c[2] = high0 ^ c[3] ^ Words::all(k1), c[3] = low0;
  }
}

// sample_log() of core/chance/sampling.h, in its order of operations; Vec's products and sums round on their own.
inline Vec sample_log(Vec x) {
  const Words bits = Words::bits_of(x);
  const Words exponent = shift_right_signed<23>(bits - Words::all(0x3F3504F3u));
  const Vec z = (bits - shift_left<23>(exponent)).as_float() - Vec::all(1.0f);
  const Vec k = exponent.to_float();
  static const float kRest[] = {0x1.055ec6p-3f, -0x1.0d8242p-3f, 0x1.22d92ep-3f, -0x1.54728ap-3f,
                                0x1.99a01cp-3f, -0x1.000226p-2f, 0x1.555554p-2f};
  Vec p = Vec::all(-0x1.38c9dep-4f);
  for (float c : kRest) p = p * z + Vec::all(c);
  const Vec square = z * z;
  Vec total = (p * z) * square;
  total = total + k * Vec::all(0x1.7f7d1cp-20f);
  total = total - Vec::all(0.5f) * square;
  total = total + z;
  return total + k * Vec::all(0x1.62e4p-1f);
}

inline Vec gumbel(Words words) {
  const Vec u = (shift_right<9>(words).to_float() + Vec::all(0.5f)) * Vec::all(0x1p-23f);
  return Vec::zero() - sample_log(Vec::zero() - sample_log(u));
}

// The noise of the levels first .. first + 63, sixteen to a vector; first is a multiple of 64.
inline void noise_of(int first, uint64_t seed, int64_t stream, int64_t step, Vec (&noise)[4]) {
  // Counters dealt so that transposing within fours brings the levels into order.
  static const uint32_t kDealt[kLanes] = {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15};
  Words c[4] = {
      Words::load(kDealt) + Words::all(static_cast<uint32_t>(first / 4)), Words::all(static_cast<uint32_t>(step)),
      Words::all(static_cast<uint32_t>(static_cast<uint64_t>(step) >> 32)), Words::all(static_cast<uint32_t>(stream))};
  philox_words(c, static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32));
  transpose_fours(c);
  for (int i = 0; i < 4; ++i) noise[i] = gumbel(c[i]);
}

void gumbel(int Q, uint64_t seed, int64_t stream, int64_t step, float* noise) {
  for (int first = 0; first < Q; first += kNoiseBlock) {
    float block[kNoiseBlock];
    Vec rows[4];
    noise_of(first, seed, stream, step, rows);
    for (int i = 0; i < 4; ++i) rows[i].store(block + i * kLanes);
    std::memcpy(noise + first, block, sizeof(float) * (Q - first < kNoiseBlock ? Q - first : kNoiseBlock));
  }
}

// Minus infinity after the first n lanes.
inline Vec first_lanes(Vec a, int n) {
  float lanes[kLanes];
  a.store(lanes);
  for (int i = n; i < kLanes; ++i) lanes[i] = -__builtin_inff();
  return Vec::load(lanes);
}

// Whole vectors of `logits` are read: Q rounded up to sixteen.
int32_t draw(const float* logits, int Q, float temperature, uint64_t seed, int64_t stream, int64_t step) {
  static const uint32_t kPlaces[kLanes] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  Vec best = Vec::all(-__builtin_inff()), noise[4] = {Vec::zero(), Vec::zero(), Vec::zero(), Vec::zero()};
  Words level = Words::all(0);
  for (int first = 0; first < Q; first += kNoiseBlock) {
    if (temperature != 0.0f) noise_of(first, seed, stream, step, noise);
    for (int i = 0; i < 4 && first + i * kLanes < Q; ++i) {
      const int at = first + i * kLanes;
      Vec score = Vec::load(logits + at) + Vec::all(temperature) * noise[i];
      if (Q - at < kLanes) score = first_lanes(score, Q - at);
      keep_greater(score, Words::load(kPlaces) + Words::all(static_cast<uint32_t>(at)), best, level);
    }
  }
  float scores[kLanes];
  uint32_t levels[kLanes], drawn = 0;
  best.store(scores);
  level.store(levels);
  float greatest = -__builtin_inff();
  for (int i = 0; i < kLanes; ++i)
    if (scores[i] > greatest || (scores[i] == greatest && levels[i] < drawn)) greatest = scores[i], drawn = levels[i];
  return static_cast<int32_t>(drawn);
}

#else

void gumbel(int Q, uint64_t seed, int64_t stream, int64_t step, float* noise) {
  float block[kNoiseBlock];
  for (int k = 0; k < Q; ++k) {
    if (k % kNoiseBlock == 0) gumbel_block(k, seed, stream, step, block);
    noise[k] = block[k % kNoiseBlock];
  }
}

int32_t draw(const float* logits, int Q, float temperature, uint64_t seed, int64_t stream, int64_t step) {
  return draw_level(logits, Q, temperature, seed, stream, step);
}

#endif

}  // namespace
}  // namespace sharks::cpu
