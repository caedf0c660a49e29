#include "core/codes/weights.h"

#include <string>

namespace sharks {

CodesWeights::CodesWeights(const CodesSpec& spec, Weights& weights) {
  const int K = spec.q_levels, D = spec.dims, H = spec.hidden, W = spec.width;
  weights.take("tokenizer.mean", {spec.frame});  // the voice's
  weights.take("tokenizer.basis", {D, spec.frame});
  books = weights.take("tokenizer.books", {spec.books, K, D});
  scale = weights.take("prior.scale", {2 * D});
  in = weights.take("prior.in.weight", {H, 2 * D});
  in_bias = weights.take("prior.in.bias", {H});
  for (int k = 0; k < spec.layers; ++k) {
    const std::string name = "prior.rnn." + std::to_string(k) + ".";
    Layer layer{};
    layer.w_ih = weights.take(name + "w_ih", {3 * H, H});
    layer.w_hh = weights.take(name + "w_hh", {3 * H, H});
    layer.b_ih = weights.take(name + "b_ih", {3 * H});
    layer.b_hh = weights.take(name + "b_hh", {3 * H});
    layers.push_back(layer);
  }
  norm = weights.take("prior.norm.weight", {H});
  norm_bias = weights.take("prior.norm.bias", {H});
  for (int q = 0; q < spec.books; ++q) {
    const std::string name = "prior.heads." + std::to_string(q) + ".";
    Head head{};
    head.hidden = weights.take(name + "hidden.weight", {W, H});
    head.hidden_bias = weights.take(name + "hidden.bias", {W});
    if (q) head.partial = weights.take(name + "partial.weight", {W, D});
    head.out = weights.take(name + "out.weight", {K, W});
    head.out_bias = weights.take(name + "out.bias", {K});
    heads.push_back(head);
  }
  weights.finish();
}

}  // namespace sharks
