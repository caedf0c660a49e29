// The prior's weights, bound by name: row-major float32 as spec.tensors() lists them. Null where the spec has none.
#pragma once

#include <vector>

#include "core/codes/spec.h"
#include "core/weights.h"

namespace sharks {

struct CodesWeights {
  CodesWeights(const CodesSpec& spec, Weights& weights);

  struct Layer {
    const float *w_ih, *w_hh, *b_ih, *b_hh;  // [3 H, H], [3 H, H]; [3 H]; rows r, z, n
  };
  struct Head {
    const float *hidden, *hidden_bias;  // [W, H]; [W]
    const float* partial;               // [W, D]; null of the first book
    const float *out, *out_bias;        // [K, W]; [K]
  };
  const float* books;         // [books, K, D]
  const float* scale;         // [2 D]
  const float *in, *in_bias;  // [H, 2 D]; [H]
  std::vector<Layer> layers;
  const float *norm, *norm_bias;  // [H]
  std::vector<Head> heads;
};

}  // namespace sharks
