// WaveNet's weights as the CPU reads them: packed, padded and folded once, when a model is made (wavenet_prepare.cpp).
//
// Letters: R residual, D one half of the gate, S skip, E head, K filter width, L layers, Q levels; a small p marks a width
// padded to whole vectors.
#pragma once

#include <vector>

#include "core/engine.h"
#include "core/wavenet.h"
#include "cpu/matrix.h"

namespace sharks::cpu {

struct WaveNet {
  WaveNet(const WaveNetSpec& spec, const WaveNetWeights& weights, const float* decode, const Kernels& kernels,
          Type type);

  WaveNetSpec spec;
  const Kernels& kernels;
  Type type;
  int Rp, Dp, Sp, taps;
  int widest() const;       // columns of the widest matrix
  size_t heaviest() const;  // bytes of the heaviest
  Cost cost() const;
  Floats input_table, input_bias;  // [taps, Q, Rp], [Rp]
  struct Block {
    Matrix dilated, res, gcond;  // [2 Dp, K Rp], [Rp, Dp], [2 Dp, G]
    Floats dilated_bias, res_bias;
  };
  std::vector<Block> blocks;
  std::vector<Matrix> skips;  // [S, some layers of Dp]: a run of layers each, in order
  int run_layers;             // layers of a run; the last may have fewer
  Matrix conv1, conv2;        // [E, S], [Q, E]
  Floats skip_bias, conv1_bias, conv2_bias;

 private:
  void fold_input(const WaveNetWeights& weights, const float* decode);
  void fold_skips(const WaveNetWeights& weights);
};

}  // namespace sharks::cpu
