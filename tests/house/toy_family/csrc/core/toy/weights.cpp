#include "core/toy/weights.h"

namespace sharks {

ToyWeights::ToyWeights(const ToySpec& spec, Weights& weights) {
  const int64_t Q = spec.q_levels, E = spec.embed_dim, H = spec.hidden;
  embed = weights.take("embed.weight", {Q, E});
  w_ih = weights.take("rnn.w_ih", {H, E});
  w_hh = weights.take("rnn.w_hh", {H, H});
  b_ih = weights.take("rnn.b_ih", {H});
  out = weights.take("out.weight", {Q, H});
  out_bias = weights.take("out.bias", {Q});
  weights.finish();
}

}  // namespace sharks
