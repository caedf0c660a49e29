#include "cuda/samplernn/parts.h"

namespace sharks::cuda::samplernn {

// The table's order is the order of residence in shared memory: what a sample waits for, then what a tier's boundary
// waits for, lowest tier first, then what is done while others travel.
Parts::Parts(const SampleRNNSource& source)
    : folded_(source.spec, source.weights, source.table, StripPacking{source.precision, source.fold}) {
  const SampleRNNSpec& spec = folded_.spec;
  for (size_t i = 0; i < folded_.hidden.size(); ++i) {
    place(folded_.hidden[i], 1, Product::kSampleChannels);
    hidden_bias_.push_back(kept(folded_.hidden_bias[i]));
  }
  place(folded_.out, 1, Product::kLevels);
  out_bias_ = kept(folded_.out_bias);
  tier_input_ = kept(folded_.tier_input);
  sample_table_ = narrowed_copy(folded_.sample_table, source.precision);
  folded_.sample_table = {};
  for (int t = 0; t < spec.tiers(); ++t) place_tier_path(t);
  for (int t = 0; t < spec.tiers(); ++t) place_tier_rest(t);
  product_table_ = Array<Product>(products_);
  tier_table_ = Array<TierParts>(tiers_);
  layer_table_ = Array<LayerParts>(layers_);
  hidden_bias_table_ = Array<const float*>(hidden_bias_);
}

int Parts::place(const StripMatrix& matrix, int gates, Product::Owner owner) {
  if (matrix.empty()) return kNone;
  products_.push_back({matrix.data(), matrix.k_steps(), gates, matrix.strips() / gates, owner});
  return static_cast<int>(products_.size()) - 1;
}

// Products of `count` slots of an upsampling, from slot `first` on.
int Parts::place_slots(const Folded::Tier& tier, int row_gates, int first, int count) {
  const int rows = tier.row / kStripRows, number = static_cast<int>(products_.size());
  for (int slot = first; slot < first + count; ++slot)
    products_.push_back({tier.upsample.data(slot * rows), tier.upsample.k_steps(), row_gates, rows / row_gates,
                         Product::kTierChannels});
  return number;
}

const float* Parts::kept(const std::vector<float>& values) {
  if (values.empty()) return nullptr;
  kept_.emplace_back(values);
  return kept_.back().data();
}

void Parts::place_tier_path(int t) {
  const Folded::Tier& from = folded_.tiers[static_cast<size_t>(t)];
  const SampleRNNSpec& spec = folded_.spec;
  const int G = spec.gates(), row_gates = from.row / folded_.Dp;
  TierParts tier{};
  tier.F = spec.frame_sizes[static_cast<size_t>(t)];
  tier.below = tier.F / spec.ratio(t);
  tier.row_gates = row_gates;
  tier.upsample = place_slots(from, row_gates, 0, 1);
  tier.expand = place(from.expand, 1, Product::kTierChannels);
  tier.expand_bias = kept(from.expand_bias);
  tier.skip_bias = kept(from.skip_bias);
  tier.upsample_bias = kept(from.upsample_bias);
  for (const Folded::Layer& layer : from.layers)
    layers_.push_back({place(layer.below, G, Product::kTierChannels), place(layer.frame, G, Product::kTierChannels),
                       kNone, place(layer.candidate, 1, Product::kTierChannels),
                       place(layer.skip, 1, Product::kTierChannels), kept(layer.bias), kept(layer.recurrent_bias)});
  tiers_.push_back(tier);
}

void Parts::place_tier_rest(int t) {
  const Folded::Tier& from = folded_.tiers[static_cast<size_t>(t)];
  const SampleRNNSpec& spec = folded_.spec;
  const int gates = spec.cell == SampleRNNSpec::Cell::kGruResetBefore ? 2 : spec.gates();
  for (int k = 0; k < spec.layers; ++k)
    layers_[static_cast<size_t>(t * spec.layers + k)].recurrent =
        place(from.layers[static_cast<size_t>(k)].recurrent, gates, Product::kTierChannels);
  tiers_[static_cast<size_t>(t)].upsample_rest =
      place_slots(from, tiers_[static_cast<size_t>(t)].row_gates, 1, spec.ratio(t) - 1);
}

template <typename W>
Net<W> Parts::net() const {
  const SampleRNNSpec& spec = folded_.spec;
  const Cell cell = spec.cell == SampleRNNSpec::Cell::kLstm  ? Cell::kLstm
                    : spec.cell == SampleRNNSpec::Cell::kGru ? Cell::kGru
                                                             : Cell::kGruResetBefore;
  return {spec.dim,
          folded_.Dp,
          spec.q_levels,
          spec.tiers(),
          spec.layers,
          spec.gates(),
          static_cast<int>(folded_.hidden.size()),
          static_cast<int>(products_.size()),
          spec.lookback(),
          cell,
          spec.skip != SampleRNNSpec::Skip::kNone,
          spec.relu_logits,
          product_table_.data(),
          tier_table_.data(),
          layer_table_.data(),
          hidden_bias_table_.data(),
          out_bias_,
          tier_input_,
          static_cast<const W*>(sample_table_.data())};
}

template Net<float> Parts::net() const;
template Net<Half> Parts::net() const;

}  // namespace sharks::cuda::samplernn
