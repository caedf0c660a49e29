// SampleRNN as the persistent kernel sees it: products in a table, the tiers and layers that use them, who owns which
// rows, and the words by which blocks exchange vectors. Plain data, made by samplernn_persistent.cu.
//
// A pipeline is `blocks` blocks that play up to 8 streams together. The channels (rows of every D-wide vector) are
// dealt out in strips of 8; whoever owns a channel computes all its gates, conditioning and sums, in all tiers. What a
// product reads is the whole vector: its owners publish their parts, everybody gathers. Levels are dealt out likewise.
#pragma once

#include "cuda/exchange/opening.h"
#include "cuda/products/strips.h"
#include "cuda/samplernn/cell.h"
#include "cuda/samplernn/plans.h"

namespace sharks::cuda::samplernn {

// The members first .. first + count - 1 of a pipeline's blocks. Both teams are all blocks, or they share none.
struct Team {
  int first, count;
  SHARKS_BOTH int member(int block) const { return block - first; }
  SHARKS_BOTH bool has(int block) const { return block >= first && block < first + count; }
};

// A contiguous share of `total` things: equal ones but for one.
struct Share {
  int first, count;
};
SHARKS_BOTH Share share_of(int total, int member, int members) {
  const int first = static_cast<int>(static_cast<int64_t>(total) * member / members);
  return {first, static_cast<int>(static_cast<int64_t>(total) * (member + 1) / members) - first};
}

// A row of the table of products, in the order in which they may stay in shared memory.
struct Product {
  const void* weights;
  int k_steps, gates, gate_stride;
  enum Owner { kSampleChannels, kLevels, kTierChannels } owner;
};
constexpr int kNone = -1;

// Numbers of products, and biases by row.
struct LayerParts {
  int below, frame, recurrent, candidate, skip;
  const float *bias, *recurrent_bias;
};
struct TierParts {
  int F;              // samples per step
  int below;          // samples per step of what it hands vectors to
  int row_gates;      // gates of the rows it hands down, 1 for a plain vector
  int expand;         // product, or none: then the first layer reads the frame itself
  int upsample;       // the product of slot 0
  int upsample_rest;  // of slot 1; the others follow
  const float *expand_bias, *skip_bias, *upsample_bias;
};

template <typename W>
struct Net {
  int D, Dp, Q, tiers, layers, gates, hidden_count, products;
  int longest;  // frame, in samples
  Cell cell;
  bool skips, relu_logits;
  // The tables lie in device memory: only kernels read them.
  const Product* product;   // [products]; first the hidden ones, then the output
  const TierParts* tier;    // [tiers]
  const LayerParts* layer;  // [tiers, layers]
  const float *const *hidden_bias, *out_bias, *tier_input;
  const W* sample_table;  // [F, Q, Dp]

  SHARKS_BOTH int F() const { return tier[0].F; }
  SHARKS_BOTH int lookback() const { return longest; }
  SHARKS_BOTH int channel_strips() const { return Dp / kStripRows; }
  SHARKS_BOTH int level_strips() const { return (Q + kStripRows - 1) / kStripRows; }
  SHARKS_BOTH int widest() const { return Dp > lookback() ? Dp : lookback(); }
  // What a level at place p of the sample window adds to a channel.
  SHARKS_BOTH float table_value(int p, int level, int channel) const {
    return to_float(sample_table[(static_cast<int64_t>(p) * Q + level) * Dp + channel]);
  }
  SHARKS_BOTH const LayerParts& part(int t, int k) const { return layer[t * layers + k]; }
};

// The words of one pipeline. Every vector has two slots, used in turn; see samplernn_pipeline.h for why two are enough.
// Words are far, in device memory, or near: where the sample team is a cluster, its own vectors' words lie in the
// shared memory of each of its members, at the same place.
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

// Stage values to copy out: [B, count, width] each, or null. Numbered [tiers, layers] hidden vectors, then the last
// hidden vector of the sample level, then the logits.
struct TapTo {
  float* out;
  int64_t count;
};

}  // namespace sharks::cuda::samplernn
