// WaveNet's weights as the pipeline wants them: folded in double precision, rounded once, in the order in which warps
// read.
#pragma once

#include <optional>
#include <vector>

#include "cuda/wavenet/pipeline/shape.h"
#include "cuda/wavenet/plans.h"

namespace sharks::cuda::wavenet::pipeline {

struct PackedWaveNet {
  WaveNetShape shape{};
  int layer_bytes = 0;                         // of one layer's image
  TailMatrix skip{}, head{}, draw{};           // where they lie in `weights`
  std::vector<unsigned char> weights;          // the images of all layers, then the tail
  std::vector<float> input_table, input_bias;  // [taps, Q, 16 Rt], [16 Rt]
  std::vector<bool> composed;                  // per layer
};

// T is float or Half. Empty where a weight is beyond what T holds; a composed one that is leaves its layer uncomposed.
template <typename T>
std::optional<PackedWaveNet> pack_wavenet(const WaveNetSource& source);

}  // namespace sharks::cuda::wavenet::pipeline
