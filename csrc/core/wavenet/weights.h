// WaveNet's weights, bound by name: row-major float32 as spec.tensors() lists them. Null where the spec has none.
#pragma once

#include <vector>

#include "core/wavenet/spec.h"
#include "core/weights.h"

namespace sharks {

struct WaveNetWeights {
  WaveNetWeights(const WaveNetSpec& spec, Weights& weights);

  const float* input_embed = nullptr;  // [Q, E]
  const float* input_conv = nullptr;   // [R, C, input_filter_width], oldest tap first
  const float* input_bias = nullptr;   // [R]
  struct Block {
    const float *dilated, *dilated_bias;  // [2D, R, K] filter rows first, oldest tap first; [2D]
    const float* gcond;                   // [2D, G]
    const float *res, *res_bias;          // [R, D]; [R]
    const float *skip, *skip_bias;        // [S, D]; [S]
  };
  std::vector<Block> blocks;
  const float *conv1 = nullptr, *conv1_bias = nullptr;  // [head, S]; [head]
  const float *conv2 = nullptr, *conv2_bias = nullptr;  // [Q, head]; [Q]
};

}  // namespace sharks
