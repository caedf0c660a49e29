// WaveNet's weights with everything folded that can be, in double precision: the input convolution, whatever it reads,
// becomes a table of rows to add, one per tap and level; the skip products of a run of layers become one product over
// their gated outputs, laid side by side.
//
// `Packing` says how a backend keeps matrices: types Matrix and Floats (zero at birth), padded(width), matrix(dense),
// times(dense, dense), and kRunColumns, how wide a product over several layers may become; its add(cost, matrix, share)
// counts a product that runs in a share of the steps. Letters: R residual, D one half of the gate, S skip, E head,
// K filter width, L layers, Q levels; a small p marks a padded width.
#pragma once

#include <algorithm>
#include <vector>

#include "core/dense.h"
#include "core/engine.h"
#include "core/wavenet/weights.h"

namespace sharks {

template <typename Packing>
struct FoldedWaveNet {
  using Matrix = typename Packing::Matrix;
  using Floats = typename Packing::Floats;

  FoldedWaveNet(const WaveNetSpec& spec, const WaveNetWeights& weights, const float* decode, const Packing& packing);

  Packing packing;
  WaveNetSpec spec;
  int Rp, Dp, Sp, Ep, taps;
  int run_layers;                  // whose skips are one product; the last run may have fewer
  Floats input_table, input_bias;  // [taps, Q, Rp], [Rp]
  struct Block {
    Matrix dilated, res, gcond;  // [2 Dp, K Rp], [Rp, Dp], [2 Dp, G]
    Floats dilated_bias, res_bias;
  };
  std::vector<Block> blocks;
  std::vector<Matrix> skips;  // a run of layers each, in order: [S, run_layers Dp]
  Matrix conv1, conv2;        // [E, Sp], [Q, Ep]
  Floats skip_bias, conv1_bias, conv2_bias;

  Cost cost() const;

 private:
  void fold_input(const WaveNetWeights& weights, const float* decode);
  void fold_skips(const WaveNetWeights& weights);
};

template <typename Packing>
FoldedWaveNet<Packing>::FoldedWaveNet(const WaveNetSpec& spec, const WaveNetWeights& weights, const float* decode,
                                      const Packing& packing)
    : packing(packing),
      spec(spec),
      Rp(Packing::padded(spec.residual)),
      Dp(Packing::padded(spec.dilation)),
      Sp(Packing::padded(spec.skip)),
      Ep(Packing::padded(spec.head)),
      taps(std::max(spec.input_filter_width, 1)),
      run_layers(std::clamp(Packing::kRunColumns / Dp, 1, spec.layers())) {
  const int R = spec.residual, D = spec.dilation, K = spec.filter_width, G = spec.global_channels;
  for (const WaveNetWeights::Block& from : weights.blocks) {
    Block block;
    Dense dilated(2 * Dp, K * Rp);
    for (int half = 0; half < 2; ++half)
      for (int k = 0; k < K; ++k) dilated.add(half * Dp, k * Rp, from.dilated + half * D * R * K + k, D, R, R * K, K);
    block.dilated = packing.matrix(dilated);
    block.dilated_bias = Floats(static_cast<size_t>(2 * Dp));
    for (int half = 0; half < 2 && from.dilated_bias; ++half)
      std::copy_n(from.dilated_bias + half * D, D, block.dilated_bias.data() + half * Dp);
    if (from.gcond)
      block.gcond =
          packing.matrix(Dense(2 * Dp, G).add(0, 0, from.gcond, D, G, G).add(Dp, 0, from.gcond + D * G, D, G, G));
    if (from.res) {
      block.res = packing.matrix(Dense(Rp, Dp).add(0, 0, from.res, R, D, D));
      block.res_bias = padded_copy<Packing>(from.res_bias, R);
    }
    blocks.push_back(std::move(block));
  }
  fold_input(weights, decode);
  fold_skips(weights);
  const int E = spec.head, Q = spec.q_levels;
  conv1 = packing.matrix(Dense(E, Sp).add(0, 0, weights.conv1, E, spec.skip, spec.skip));
  conv2 = packing.matrix(Dense(Q, Ep).add(0, 0, weights.conv2, Q, E, E));
  conv1_bias = padded_copy<Packing>(weights.conv1_bias, E);
  conv2_bias = padded_copy<Packing>(weights.conv2_bias, Q);
}

// What each tap of the input adds for each level: a one-hot, embedded or scalar sample times its column(s).
template <typename Packing>
void FoldedWaveNet<Packing>::fold_input(const WaveNetWeights& weights, const float* decode) {
  using Input = WaveNetSpec::Input;
  const int R = spec.residual, Q = spec.q_levels, E = spec.embed_dim;
  input_table = Floats(static_cast<size_t>(taps) * Q * Rp);
  input_bias = padded_copy<Packing>(weights.input_bias, R);
  for (int p = 0; p < taps; ++p)
    for (int level = 0; level < Q; ++level)
      for (int r = 0; r < R; ++r) {
        const auto conv = [&](int width, int channel) {
          return static_cast<double>(weights.input_conv[(static_cast<size_t>(r) * width + channel) * taps + p]);
        };
        double sum = 0;
        if (spec.input == Input::kOneHot) sum = conv(Q, level);
        if (spec.input == Input::kScalar) sum = conv(1, 0) * decode[level];
        if (spec.input == Input::kEmbedding) {
          const float* row = weights.input_embed + static_cast<size_t>(level) * E;
          if (!weights.input_conv)
            sum = row[r];
          else
            for (int e = 0; e < E; ++e) sum += conv(E, e) * row[e];
        }
        input_table[(static_cast<size_t>(p) * Q + level) * Rp + r] = static_cast<float>(sum);
      }
}

// The skip products of each run of layers side by side, the scale inside; the biases of all summed.
template <typename Packing>
void FoldedWaveNet<Packing>::fold_skips(const WaveNetWeights& weights) {
  const int S = spec.skip, D = spec.dilation, L = spec.layers();
  std::vector<double> bias(static_cast<size_t>(S));
  for (int first = 0; first < L; first += run_layers) {
    const int last = std::min(L, first + run_layers);
    Dense run(S, (last - first) * Dp);
    for (int i = first; i < last; ++i) {
      const WaveNetWeights::Block& block = weights.blocks[i];
      run.add(0, (i - first) * Dp, block.skip, S, D, D);
      for (int s = 0; s < S && block.skip_bias; ++s) bias[s] += block.skip_bias[s];
    }
    run.scale(spec.skip_scale);
    skips.push_back(packing.matrix(run));
  }
  skip_bias = Floats(static_cast<size_t>(Sp));
  for (int s = 0; s < S; ++s) skip_bias[s] = static_cast<float>(bias[s] * spec.skip_scale);
}

// Every product of a step, as the backend counts them.
template <typename Packing>
Cost FoldedWaveNet<Packing>::cost() const {
  Cost cost;
  for (int i = 0; i < spec.layers(); ++i) {
    add(cost, blocks[i].dilated);
    if (i + 1 < spec.layers()) add(cost, blocks[i].res);  // the last layer's is never computed
  }
  for (const Matrix& run : skips) add(cost, run);
  for (const Matrix* matrix : {&conv1, &conv2}) add(cost, *matrix);
  return cost;
}

}  // namespace sharks
