// SampleRNN as the kernels of persistent/ and throughput/ see it: products in a table, and the tiers and layers that
// use them. Plain data, made by parts.cpp.
#pragma once

#include "cuda/exchange/opening.h"
#include "cuda/products/strips.h"
#include "cuda/samplernn/cell.h"
#include "cuda/samplernn/plans.h"

namespace sharks::cuda::samplernn {

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

// Stage values to copy out: [B, count, width] each, or null. Numbered [tiers, layers] hidden vectors, then the last
// hidden vector of the sample level, then the logits.
struct TapTo {
  float* out;
  int64_t count;
};

}  // namespace sharks::cuda::samplernn
