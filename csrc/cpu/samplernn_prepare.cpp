// Folds, in double precision: the sample input (embedding, then convolution) becomes a table of rows to add, one per place
// in the window and level; a tier's expansion bias rides in the upsampling bias of the tier above; PRISM's doubled input is
// one input with added weights; the skip products share one bias.
#include <algorithm>

#include "cpu/samplernn.h"

namespace sharks::cpu {
namespace {

using Cell = SampleRNNSpec::Cell;
using Skip = SampleRNNSpec::Skip;

}  // namespace

SampleRNN::SampleRNN(const SampleRNNSpec& spec, const SampleRNNWeights& weights, const float* inputs,
                     const Kernels& kernels, Type type)
    : spec(spec), kernels(kernels), type(type), Dp(padded(spec.dim)), tier_input(padded_copy(inputs, spec.q_levels)) {
  for (int t = 0; t < spec.tiers(); ++t) tiers.push_back(bind_tier(weights, t));
  fold_sample_input(weights);
  const int D = spec.dim;
  for (int i = 0; i < spec.hidden_layers; ++i) {
    hidden.push_back(Matrix(Dense(Dp, Dp).add(0, 0, weights.hidden[static_cast<size_t>(i)], D, D, D), type));
    hidden_bias.push_back(padded_copy(weights.hidden_bias[static_cast<size_t>(i)], D));
  }
  out = Matrix(Dense(spec.q_levels, Dp).add(0, 0, weights.out, spec.q_levels, D, D), type);
  out_bias = padded_copy(weights.out_bias, spec.q_levels);
}

// The rows of `gates` gates of a [G D, stride] tensor, each gate padded to Dp rows; `cols` columns from `source` on.
Dense SampleRNN::gate_rows(const float* source, int gates, int cols, int stride, int padded_cols,
                           int first_gate) const {
  Dense dense(gates * Dp, padded_cols);
  for (int g = 0; g < gates; ++g)
    dense.add(g * Dp, 0, source + static_cast<size_t>(first_gate + g) * spec.dim * stride, spec.dim, cols, stride);
  return dense;
}

SampleRNN::Layer SampleRNN::bind_layer(const SampleRNNWeights::Layer& from, int tier, int k) const {
  const int D = spec.dim, G = spec.gates(), X = spec.tier_width(tier), Xp = padded(X);
  Layer layer;
  if (k == 0) {
    const bool doubled = spec.skip == Skip::kPrism;
    const int width = doubled ? 2 * X : X;
    Dense dense = gate_rows(from.w_ih, G, X, width, Xp);
    for (int g = 0; g < G && doubled; ++g)
      dense.add(g * Dp, 0, from.w_ih + static_cast<size_t>(g) * D * width + X, D, X, width);
    layer.frame = Matrix(dense, type);
  } else {
    const int width = D + (spec.skip == Skip::kGraves ? X : 0);
    layer.below = Matrix(gate_rows(from.w_ih, G, D, width, Dp), type);
    if (spec.skip == Skip::kGraves) layer.frame = Matrix(gate_rows(from.w_ih + D, G, X, width, Xp), type);
  }
  const bool reset_before = spec.cell == Cell::kGruResetBefore;
  layer.recurrent = Matrix(gate_rows(from.w_hh, reset_before ? 2 : G, D, D, Dp), type);
  if (reset_before) layer.candidate = Matrix(gate_rows(from.w_hh, 1, D, D, Dp, 2), type);
  layer.bias = Floats(static_cast<size_t>(G) * Dp);
  layer.recurrent_bias = Floats(static_cast<size_t>(G) * Dp);
  for (int g = 0; g < G; ++g) {
    std::copy_n(from.b_ih + g * D, D, layer.bias.data() + g * Dp);
    if (from.b_hh) std::copy_n(from.b_hh + g * D, D, layer.recurrent_bias.data() + g * Dp);
  }
  if (from.skip) layer.skip = Matrix(Dense(Dp, Dp).add(0, 0, from.skip, D, D, D), type);
  return layer;
}

SampleRNN::Tier SampleRNN::bind_tier(const SampleRNNWeights& weights, int t) const {
  const SampleRNNWeights::Tier& from = weights.tiers[static_cast<size_t>(t)];
  const int D = spec.dim, F = spec.frame_sizes[static_cast<size_t>(t)], ratio = spec.ratio(t);
  Tier tier;
  tier.Xp = padded(spec.tier_width(t));
  if (from.expand) {
    tier.expand = Matrix(Dense(Dp, padded(F)).add(0, 0, from.expand, D, F, F), type);
    tier.expand_bias = padded_copy(from.expand_bias, D);
  }
  tier.skip_bias = Floats(static_cast<size_t>(Dp));
  std::vector<double> skip_bias(static_cast<size_t>(D));
  for (int k = 0; k < spec.layers; ++k) {
    const SampleRNNWeights::Layer& layer = from.layers[static_cast<size_t>(k)];
    tier.layers.push_back(bind_layer(layer, t, k));
    for (int o = 0; o < D && layer.skip_bias; ++o) skip_bias[static_cast<size_t>(o)] += layer.skip_bias[o];
  }
  std::copy(skip_bias.begin(), skip_bias.end(), tier.skip_bias.data());
  tier.h0 = Floats(static_cast<size_t>(spec.layers) * Dp);
  tier.c0 = Floats(static_cast<size_t>(spec.layers) * Dp);
  for (int k = 0; k < spec.layers; ++k) {
    if (from.h0) std::copy_n(from.h0 + k * D, D, tier.h0.data() + k * Dp);
    if (from.c0) std::copy_n(from.c0 + k * D, D, tier.c0.data() + k * Dp);
  }
  Dense upsample(ratio * Dp, Dp);
  tier.upsample_bias = Floats(static_cast<size_t>(ratio) * Dp);
  for (int j = 0; j < ratio; ++j) {
    upsample.add(j * Dp, 0, from.upsample + j, D, D, ratio, static_cast<int64_t>(D) * ratio);
    for (int o = 0; o < D; ++o) {
      double bias = from.upsample_bias ? from.upsample_bias[j * D + o] : 0.0;
      if (t > 0) bias += weights.tiers[static_cast<size_t>(t - 1)].expand_bias[o];
      tier.upsample_bias[static_cast<size_t>(j * Dp + o)] = static_cast<float>(bias);
    }
  }
  tier.upsample = Matrix(upsample, type);
  return tier;
}

int SampleRNN::widest() const {
  int widest = Dp;
  for (const Tier& tier : tiers) widest = std::max({widest, tier.expand.cols(), tier.Xp});
  return widest;
}

size_t SampleRNN::heaviest() const {
  size_t bytes = std::max(packed_bytes(out), packed_bytes(hidden[0]));
  for (const Tier& tier : tiers) bytes = std::max(bytes, packed_bytes(tier.upsample));
  return bytes;
}

Cost SampleRNN::cost() const {
  Cost cost;
  for (size_t t = 0; t < tiers.size(); ++t) {
    const double share = 1.0 / spec.frame_sizes[t];
    for (const Layer& layer : tiers[t].layers)
      for (const Matrix* matrix : {&layer.below, &layer.frame, &layer.recurrent, &layer.candidate, &layer.skip})
        add(cost, *matrix, share);
    add(cost, tiers[t].expand, share);
    add(cost, tiers[t].upsample, share);
  }
  for (const Matrix& matrix : hidden) add(cost, matrix);
  add(cost, out);
  return cost;
}

// What each place of the sample window adds for each level: its embedded or one-hot level times the place's columns.
void SampleRNN::fold_sample_input(const SampleRNNWeights& weights) {
  const int D = spec.dim, Q = spec.q_levels, E = spec.embed_dim, F = spec.frame_sizes[0];
  sample_table = Floats(static_cast<size_t>(F) * Q * Dp);
  std::vector<double> column(static_cast<size_t>(D) * std::max(E, 1)), row(static_cast<size_t>(D));
  for (int p = 0; p < F; ++p) {
    for (int e = 0; e < E; ++e)
      for (int o = 0; o < D; ++o)
        column[static_cast<size_t>(e) * D + o] = weights.in[(static_cast<size_t>(o) * E + e) * F + p];
    for (int level = 0; level < Q; ++level) {
      float* to = sample_table.data() + (static_cast<size_t>(p) * Q + level) * Dp;
      if (!E) {
        for (int o = 0; o < D; ++o) to[o] = weights.in[(static_cast<size_t>(o) * Q + level) * F + p];
        continue;
      }
      std::fill(row.begin(), row.end(), 0.0);
      for (int e = 0; e < E; ++e) {
        const double factor = weights.embed[static_cast<size_t>(level) * E + e];
        const double* from = column.data() + static_cast<size_t>(e) * D;
        for (int o = 0; o < D; ++o) row[static_cast<size_t>(o)] += factor * from[o];
      }
      for (int o = 0; o < D; ++o) to[o] = static_cast<float>(row[static_cast<size_t>(o)]);
    }
  }
}

}  // namespace sharks::cpu
