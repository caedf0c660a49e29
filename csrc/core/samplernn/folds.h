// SampleRNN's weights with everything folded that can be, in double precision, where no activation lies between:
//   - the sample input (embedding, then convolution) becomes a table of rows to add, one per place in the window and
//     level;
//   - the first hidden layer goes into that table and into the lowest upsampling;
//   - a tier's expansion goes into its first recurrent layer, whose share for the conditioning goes into the upsampling
//     of the tier above (unless deeper layers read the expanded frame too);
//   - PRISM's doubled input is one input with added weights; the skip products share one bias.
//
// `Packing` says how a backend keeps matrices; see core/wavenet/folds.h. Letters: D dim, F samples per frame, X what a
// tier's recurrent stack reads, G gates, Q levels; a small p marks a padded width.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "core/dense.h"
#include "core/engine.h"
#include "core/samplernn/weights.h"

namespace sharks {

template <typename Packing>
struct FoldedSampleRNN {
  using Matrix = typename Packing::Matrix;
  using Floats = typename Packing::Floats;
  using Cell = SampleRNNSpec::Cell;
  using Skip = SampleRNNSpec::Skip;

  FoldedSampleRNN(const SampleRNNSpec& spec, const SampleRNNWeights& weights, const float* tier_input,
                  const Packing& packing);

  Packing packing;
  SampleRNNSpec spec;
  int Dp;
  struct Layer {
    Matrix below, frame, recurrent,
        candidate;                // [G Dp, cols] from h below, the tier's input, own h; reset-before's U_n
    Floats bias, recurrent_bias;  // [G Dp]; the latter of the reset-after GRU
    Matrix skip;                  // [Dp, Dp]
  };
  struct Tier {
    int Xp;
    Matrix expand;  // [Dp, Fp]; empty where the first layer reads the frame itself
    Floats expand_bias;
    std::vector<Layer> layers;
    Floats skip_bias;
    Floats h0, c0;         // [layers, Dp]
    int row;               // width of the rows it hands down: what their reader adds them to
    Matrix upsample;       // [ratio row, Dp]
    Floats upsample_bias;  // [ratio row]
  };
  std::vector<Tier> tiers;
  Floats tier_input;    // [Q]
  Floats sample_table;  // [F, Q, Dp]
  bool first_hidden_folded;
  std::vector<Matrix> hidden;
  std::vector<Floats> hidden_bias;
  Matrix out;
  Floats out_bias;

  Cost cost() const;

 private:
  static int padded(int n) { return Packing::padded(n); }
  Dense gate_rows(const float* source, int gates, int cols, int stride, int padded_cols, int first_gate = 0) const;
  Layer bind_layer(const SampleRNNWeights::Layer& from, int tier, int layer) const;
  Tier bind_tier(const SampleRNNWeights& weights, int tier) const;

  // What happens to a conditioning row below: it passes `map`, if there is one, and `bias` is added.
  struct Reader {
    Dense map;
    std::vector<double> bias;
  };
  void bind_frame(const SampleRNNWeights& weights, int tier, Tier& to) const;
  bool first_layer_folded(int tier) const;
  std::vector<double> first_layer_bias(const SampleRNNWeights& weights, int tier, const Dense& layer) const;
  Dense first_layer(const SampleRNNWeights& weights, int tier) const;
  Reader reader(const SampleRNNWeights& weights, int tier) const;
  void fold_upsampling(const SampleRNNWeights& weights, int tier, Tier& to) const;
  void fold_sample_input(const SampleRNNWeights& weights);
};

template <typename Packing>
FoldedSampleRNN<Packing>::FoldedSampleRNN(const SampleRNNSpec& spec, const SampleRNNWeights& weights,
                                          const float* inputs, const Packing& packing)
    : packing(packing),
      spec(spec),
      Dp(padded(spec.dim)),
      tier_input(padded_copy<Packing>(inputs, spec.q_levels)),
      first_hidden_folded(!spec.relu_before_hidden) {
  for (int t = 0; t < spec.tiers(); ++t) tiers.push_back(bind_tier(weights, t));
  fold_sample_input(weights);
  const int D = spec.dim;
  for (size_t i = first_hidden_folded ? 1 : 0; i < weights.hidden.size(); ++i) {
    hidden.push_back(packing.matrix(Dense(Dp, Dp).add(0, 0, weights.hidden[i], D, D, D)));
    hidden_bias.push_back(padded_copy<Packing>(weights.hidden_bias[i], D));
  }
  out = packing.matrix(Dense(spec.q_levels, Dp).add(0, 0, weights.out, spec.q_levels, D, D));
  out_bias = padded_copy<Packing>(weights.out_bias, spec.q_levels);
}

// The rows of `gates` gates of a [G D, stride] tensor, each gate padded to Dp rows; `cols` columns from `source` on.
template <typename Packing>
Dense FoldedSampleRNN<Packing>::gate_rows(const float* source, int gates, int cols, int stride, int padded_cols,
                                          int first_gate) const {
  Dense dense(gates * Dp, padded_cols);
  for (int g = 0; g < gates; ++g)
    dense.add(g * Dp, 0, source + static_cast<size_t>(first_gate + g) * spec.dim * stride, spec.dim, cols, stride);
  return dense;
}

template <typename Packing>
auto FoldedSampleRNN<Packing>::bind_layer(const SampleRNNWeights::Layer& from, int tier, int k) const -> Layer {
  const int D = spec.dim, G = spec.gates(), X = spec.tier_width(tier), Xp = padded(X);
  Layer layer;
  if (k > 0) {
    const int width = D + (spec.skip == Skip::kGraves ? X : 0);
    layer.below = packing.matrix(gate_rows(from.w_ih, G, D, width, Dp));
    if (spec.skip == Skip::kGraves) layer.frame = packing.matrix(gate_rows(from.w_ih + D, G, X, width, Xp));
  }
  const bool reset_before = spec.cell == Cell::kGruResetBefore;
  layer.recurrent = packing.matrix(gate_rows(from.w_hh, reset_before ? 2 : G, D, D, Dp));
  if (reset_before) layer.candidate = packing.matrix(gate_rows(from.w_hh, 1, D, D, Dp, 2));
  layer.bias = Floats(static_cast<size_t>(G) * Dp);
  layer.recurrent_bias = Floats(static_cast<size_t>(G) * Dp);
  for (int g = 0; g < G; ++g) {
    std::copy_n(from.b_ih + g * D, D, layer.bias.data() + g * Dp);
    if (from.b_hh) std::copy_n(from.b_hh + g * D, D, layer.recurrent_bias.data() + g * Dp);
  }
  if (from.skip) layer.skip = packing.matrix(Dense(Dp, Dp).add(0, 0, from.skip, D, D, D));
  return layer;
}

template <typename Packing>
auto FoldedSampleRNN<Packing>::bind_tier(const SampleRNNWeights& weights, int t) const -> Tier {
  const SampleRNNWeights::Tier& from = weights.tiers[t];
  const int D = spec.dim;
  Tier tier;
  tier.Xp = padded(spec.tier_width(t));
  tier.skip_bias = Floats(static_cast<size_t>(Dp));
  std::vector<double> skip_bias(static_cast<size_t>(D));
  for (int k = 0; k < spec.layers; ++k) {
    const SampleRNNWeights::Layer& layer = from.layers[k];
    tier.layers.push_back(bind_layer(layer, t, k));
    for (int o = 0; o < D && layer.skip_bias; ++o) skip_bias[o] += layer.skip_bias[o];
  }
  std::copy(skip_bias.begin(), skip_bias.end(), tier.skip_bias.data());
  tier.h0 = Floats(static_cast<size_t>(spec.layers) * Dp);
  tier.c0 = Floats(static_cast<size_t>(spec.layers) * Dp);
  for (int k = 0; k < spec.layers; ++k) {
    if (from.h0) std::copy_n(from.h0 + k * D, D, tier.h0.data() + k * Dp);
    if (from.c0) std::copy_n(from.c0 + k * D, D, tier.c0.data() + k * Dp);
  }
  bind_frame(weights, t, tier);
  fold_upsampling(weights, t, tier);
  return tier;
}

// How a frame enters: through the expansion into the first layer, or, folded, into the first layer at once.
template <typename Packing>
void FoldedSampleRNN<Packing>::bind_frame(const SampleRNNWeights& weights, int t, Tier& tier) const {
  const SampleRNNWeights::Tier& from = weights.tiers[t];
  const int D = spec.dim, F = spec.frame_sizes[t];
  const Dense layer = first_layer(weights, t);
  if (!from.expand) {
    tier.layers[0].frame = packing.matrix(layer);
    return;
  }
  const Dense expand = Dense(Dp, padded(F)).add(0, 0, from.expand, D, F, F);
  if (!first_layer_folded(t)) {
    tier.expand = packing.matrix(expand);
    tier.expand_bias = padded_copy<Packing>(from.expand_bias, D);
    tier.layers[0].frame = packing.matrix(layer);
    return;
  }
  tier.Xp = padded(F);
  tier.layers[0].frame = packing.matrix(packing.times(layer, expand));
  const std::vector<double> bias = first_layer_bias(weights, t, layer);
  std::copy(bias.begin(), bias.end(), tier.layers[0].bias.data());
}

// Whether nothing but the first recurrent layer reads what a tier expands its frames to.
template <typename Packing>
bool FoldedSampleRNN<Packing>::first_layer_folded(int t) const {
  return spec.expands(t) && spec.skip != Skip::kGraves;
}

// The first recurrent layer's input matrix [G Dp, Xp].
template <typename Packing>
Dense FoldedSampleRNN<Packing>::first_layer(const SampleRNNWeights& weights, int t) const {
  const float* w_ih = weights.tiers[t].layers[0].w_ih;
  const int D = spec.dim, G = spec.gates(), X = spec.tier_width(t);
  const bool doubled = spec.skip == Skip::kPrism;
  const int width = doubled ? 2 * X : X;
  Dense dense = gate_rows(w_ih, G, X, width, padded(X));
  for (int g = 0; g < G && doubled; ++g)
    dense.add(g * Dp, 0, w_ih + static_cast<size_t>(g) * D * width + X, D, X, width);
  return dense;
}

// The first layer's bias, and what it makes of the expansion's [G Dp].
template <typename Packing>
std::vector<double> FoldedSampleRNN<Packing>::first_layer_bias(const SampleRNNWeights& weights, int t,
                                                               const Dense& layer) const {
  const SampleRNNWeights::Tier& from = weights.tiers[t];
  const int D = spec.dim;
  std::vector<double> bias(static_cast<size_t>(layer.rows()));
  for (int g = 0; g < spec.gates(); ++g)
    for (int o = 0; o < D; ++o) bias[g * Dp + o] = from.layers[0].b_ih[g * D + o];
  for (int row = 0; row < layer.rows(); ++row)
    for (int o = 0; o < D; ++o) bias[row] += layer.at(row, o) * from.expand_bias[o];
  return bias;
}

// What becomes of the rows that tier `t` hands down.
template <typename Packing>
auto FoldedSampleRNN<Packing>::reader(const SampleRNNWeights& weights, int t) const -> Reader {
  const int D = spec.dim;
  if (t == 0) {
    Reader sample{Dense(0, 0), std::vector<double>(static_cast<size_t>(Dp))};
    if (!first_hidden_folded) return sample;
    std::copy_n(weights.hidden_bias[0], D, sample.bias.begin());
    return {Dense(Dp, Dp).add(0, 0, weights.hidden[0], D, D, D), std::move(sample.bias)};
  }
  if (first_layer_folded(t - 1)) {
    Dense layer = first_layer(weights, t - 1);
    std::vector<double> bias = first_layer_bias(weights, t - 1, layer);
    return {std::move(layer), std::move(bias)};
  }
  Reader tier{Dense(0, 0), std::vector<double>(static_cast<size_t>(Dp))};
  std::copy_n(weights.tiers[t - 1].expand_bias, D, tier.bias.begin());
  return tier;
}

// The upsampling, with what its reader would do to each row already done.
template <typename Packing>
void FoldedSampleRNN<Packing>::fold_upsampling(const SampleRNNWeights& weights, int t, Tier& to) const {
  const SampleRNNWeights::Tier& from = weights.tiers[t];
  const Reader reads = reader(weights, t);
  const int D = spec.dim, ratio = spec.ratio(t);
  to.row = static_cast<int>(reads.bias.size());
  to.upsample_bias = Floats(static_cast<size_t>(ratio) * to.row);
  Dense all(ratio * to.row, Dp);
  for (int j = 0; j < ratio; ++j) {
    Dense phase(Dp, Dp);
    phase.add(0, 0, from.upsample + j, D, D, ratio, static_cast<int64_t>(D) * ratio);
    const bool mapped = reads.map.rows() > 0;
    all.place(j * to.row, mapped ? packing.times(reads.map, phase) : phase);
    for (int row = 0; row < to.row; ++row) {
      double bias = reads.bias[row];
      for (int o = 0; o < D && from.upsample_bias; ++o)
        bias += (mapped ? reads.map.at(row, o) : row == o) * from.upsample_bias[j * D + o];
      to.upsample_bias[j * to.row + row] = static_cast<float>(bias);
    }
  }
  to.upsample = packing.matrix(all);
}

// What each place of the sample window adds for each level: its embedded or one-hot level times the place's columns,
// and times the first hidden layer where that is folded.
template <typename Packing>
void FoldedSampleRNN<Packing>::fold_sample_input(const SampleRNNWeights& weights) {
  const int D = spec.dim, Q = spec.q_levels, E = spec.embed_dim, F = spec.frame_sizes[0], width = E ? E : Q;
  const Dense embed = E ? Dense(Q, E).add(0, 0, weights.embed, Q, E, E) : Dense(0, 0);
  sample_table = Floats(static_cast<size_t>(F) * Q * Dp);
  Dense hidden_columns(Dp, Dp);  // the first hidden layer's matrix, transposed
  if (first_hidden_folded) hidden_columns.add(0, 0, weights.hidden[0], D, D, 1, D);
  for (int p = 0; p < F; ++p) {
    Dense rows(width, Dp);
    rows.add(0, 0, weights.in + p, width, D, F, static_cast<int64_t>(width) * F);
    if (E) rows = packing.times(embed, rows);
    if (first_hidden_folded) rows = packing.times(rows, hidden_columns);
    for (int level = 0; level < Q; ++level)
      for (int o = 0; o < D; ++o)
        sample_table[(static_cast<size_t>(p) * Q + level) * Dp + o] = static_cast<float>(rows.at(level, o));
  }
}

// Every product of a step, as the backend counts them; those of a tier run once per frame.
template <typename Packing>
Cost FoldedSampleRNN<Packing>::cost() const {
  Cost cost;
  for (int t = 0; t < spec.tiers(); ++t) {
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

}  // namespace sharks
