// SampleRNN's weights, bound by name: row-major float32 as spec.tensors() lists them. Null where the spec has none.
#pragma once

#include <vector>

#include "core/samplernn/spec.h"
#include "core/weights.h"

namespace sharks {

struct SampleRNNWeights {
  SampleRNNWeights(const SampleRNNSpec& spec, Weights& weights);

  struct Layer {
    const float *w_ih, *w_hh;       // [G D, in], [G D, D]; rows r, z, n or i, f, g, o
    const float *b_ih, *b_hh;       // [G D]; b_hh of the reset-after GRU alone
    const float *skip, *skip_bias;  // [D, D]; [D]
  };
  struct Tier {
    const float *expand, *expand_bias;  // [D, F]; [D]
    std::vector<Layer> layers;
    const float *h0, *c0;                   // [layers, D]
    const float *upsample, *upsample_bias;  // [D in, D out, ratio]; [ratio, D]
  };
  std::vector<Tier> tiers;
  const float *embed = nullptr, *in = nullptr;      // [Q, E]; [D, E or Q, F], oldest sample first
  std::vector<const float*> hidden, hidden_bias;    // [D, D]; [D]
  const float *out = nullptr, *out_bias = nullptr;  // [Q, D]; [Q]
};

}  // namespace sharks
