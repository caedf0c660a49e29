// SampleRNN's weights as the CPU reads them: packed, padded and folded once, when a model is made (samplernn_prepare.cpp).
//
// Letters: D dim, F samples per frame, X what a tier's recurrent stack reads, G gates, Q levels; a small p marks a width
// padded to whole vectors.
#pragma once

#include <vector>

#include "core/engine.h"
#include "core/samplernn.h"
#include "cpu/matrix.h"

namespace sharks::cpu {

struct SampleRNN {
  SampleRNN(const SampleRNNSpec& spec, const SampleRNNWeights& weights, const float* tier_input,
            const Kernels& kernels, Type type);
  int widest() const;       // columns of the widest matrix
  size_t heaviest() const;  // bytes of the heaviest
  Cost cost() const;

  SampleRNNSpec spec;
  const Kernels& kernels;
  Type type;
  int Dp;
  struct Layer {
    Matrix below, frame, recurrent, candidate;  // [G Dp, .] from h below, the tier's input, own h; reset-before's U_n
    Floats bias, recurrent_bias;                // [G Dp]; the latter of the reset-after GRU
    Matrix skip;                                // [Dp, Dp]
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

 private:
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

}  // namespace sharks::cpu
