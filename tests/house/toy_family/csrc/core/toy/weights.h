// The toy's weights, bound by name: row-major float32 as spec.tensors() lists them.
#pragma once

#include "core/toy/spec.h"
#include "core/weights.h"

namespace sharks {

struct ToyWeights {
  ToyWeights(const ToySpec& spec, Weights& weights);

  const float* embed;               // [Q, E]
  const float *w_ih, *w_hh, *b_ih;  // [H, E], [H, H], [H]
  const float *out, *out_bias;      // [Q, H], [Q]
};

}  // namespace sharks
