#include "core/samplernn/weights.h"

namespace sharks {

SampleRNNWeights::SampleRNNWeights(const SampleRNNSpec& spec, Weights& weights) {
  using Cell = SampleRNNSpec::Cell;
  using Skip = SampleRNNSpec::Skip;
  const int64_t D = spec.dim, Q = spec.q_levels, rows = spec.gates() * D;
  for (int t = 0; t < spec.tiers(); ++t) {
    const std::string name = "tiers." + std::to_string(t) + ".";
    const int64_t X = spec.tier_width(t), ratio = spec.ratio(t);
    Tier tier{};
    if (spec.expands(t)) {
      tier.expand = weights.take(name + "expand.weight", {D, spec.frame_sizes[t]});
      tier.expand_bias = weights.take(name + "expand.bias", {D});
    }
    for (int k = 0; k < spec.layers; ++k) {
      const std::string rnn = name + "rnn." + std::to_string(k) + ".";
      const std::string skip = name + "skip." + std::to_string(k) + ".";
      const int64_t in = k == 0 ? (spec.skip == Skip::kPrism ? 2 * X : X) : D + (spec.skip == Skip::kGraves ? X : 0);
      Layer layer{};
      layer.w_ih = weights.take(rnn + "w_ih", {rows, in});
      layer.w_hh = weights.take(rnn + "w_hh", {rows, D});
      layer.b_ih = weights.take(rnn + "b_ih", {rows});
      if (spec.cell == Cell::kGru) layer.b_hh = weights.take(rnn + "b_hh", {rows});
      if (spec.skip != Skip::kNone) {
        layer.skip = weights.take(skip + "weight", {D, D});
        if (spec.skip_bias_all || k == 0) layer.skip_bias = weights.take(skip + "bias", {D});
      }
      tier.layers.push_back(layer);
    }
    if (spec.learned_state) {
      tier.h0 = weights.take(name + "h0", {spec.layers, D});
      if (spec.cell == Cell::kLstm) tier.c0 = weights.take(name + "c0", {spec.layers, D});
    }
    tier.upsample = weights.take(name + "upsample.weight", {D, D, ratio});
    if (spec.upsample_bias) tier.upsample_bias = weights.take(name + "upsample.bias", {ratio, D});
    tiers.push_back(std::move(tier));
  }
  if (spec.embed_dim) embed = weights.take("sample.embed.weight", {Q, spec.embed_dim});
  in = weights.take("sample.in.weight", {D, spec.embed_dim ? spec.embed_dim : Q, spec.frame_sizes[0]});
  for (int i = 0; i < spec.hidden_layers; ++i) {
    const std::string name = "sample.hidden." + std::to_string(i) + ".";
    hidden.push_back(weights.take(name + "weight", {D, D}));
    hidden_bias.push_back(weights.take(name + "bias", {D}));
  }
  out = weights.take("sample.out.weight", {Q, D});
  out_bias = weights.take("sample.out.bias", {Q});
  weights.finish();
}

}  // namespace sharks
