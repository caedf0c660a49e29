// SampleRNN's weights on the device as strips, and the tables by which kernels find them.
#pragma once

#include <vector>

#include "core/samplernn/folds.h"
#include "cuda/products/strip_matrix.h"
#include "cuda/samplernn/net.h"

namespace sharks::cuda::samplernn {

class Parts {
 public:
  explicit Parts(const SampleRNNSource& source);

  const SampleRNNSpec& spec() const { return folded_.spec; }
  Precision precision() const { return folded_.packing.precision; }
  int row_gates(int tier) const { return tiers_[static_cast<size_t>(tier)].row_gates; }
  Cost cost() const { return folded_.cost(); }

  template <typename W>
  Net<W> net() const;

 private:
  using Folded = FoldedSampleRNN<StripPacking>;
  int place(const StripMatrix& matrix, int gates, Product::Owner owner);
  int place_slots(const Folded::Tier& tier, int row_gates, int first, int count);
  const float* kept(const std::vector<float>& values);
  void place_tier_path(int tier);
  void place_tier_rest(int tier);

  Folded folded_;
  std::vector<Product> products_;
  std::vector<TierParts> tiers_;
  std::vector<LayerParts> layers_;
  std::vector<const float*> hidden_bias_;
  const float *out_bias_, *tier_input_;

  std::vector<Array<float>> kept_;
  Memory sample_table_;
  Array<Product> product_table_;
  Array<TierParts> tier_table_;
  Array<LayerParts> layer_table_;
  Array<const float*> hidden_bias_table_;
};

}  // namespace sharks::cuda::samplernn
