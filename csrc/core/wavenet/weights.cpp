#include "core/wavenet/weights.h"

#include "core/check.h"

namespace sharks {

WaveNetWeights::WaveNetWeights(const WaveNetSpec& spec, Weights& weights) {
  const int64_t R = spec.residual, D = spec.dilation, S = spec.skip, K = spec.filter_width, Q = spec.q_levels;
  const int64_t E = spec.head, G = spec.global_channels;
  const auto bias = [&](bool exists, const std::string& name, int64_t n) {
    return exists ? weights.take(name, {n}) : nullptr;
  };
  if (spec.global_classes) weights.take("gcond.embed.weight", {spec.global_classes, G});  // the caller looks rows up
  if (spec.embed_dim) input_embed = weights.take("input.embed.weight", {Q, spec.embed_dim});
  if (spec.input_filter_width) {
    const int64_t width = spec.input == WaveNetSpec::Input::kOneHot   ? Q
                          : spec.input == WaveNetSpec::Input::kScalar ? 1
                                                                      : spec.embed_dim;
    input_conv = weights.take("input.conv.weight", {R, width, spec.input_filter_width});
    input_bias = bias(spec.input_bias, "input.conv.bias", R);
  }
  for (int i = 0; i < spec.layers(); ++i) {
    const std::string block = "blocks." + std::to_string(i) + ".";
    Block b{};
    b.dilated = weights.take(block + "dilated.weight", {2 * D, R, K});
    b.dilated_bias = bias(spec.bias, block + "dilated.bias", 2 * D);
    if (G) b.gcond = weights.take(block + "gcond.weight", {2 * D, G});
    if (spec.last_residual || i + 1 < spec.layers()) {
      b.res = weights.take(block + "res.weight", {R, D});
      b.res_bias = bias(spec.bias, block + "res.bias", R);
    }
    b.skip = weights.take(block + "skip.weight", {S, D});
    b.skip_bias = bias(spec.bias, block + "skip.bias", S);
    blocks.push_back(b);
  }
  conv1 = weights.take("head.conv1.weight", {E, S});
  conv1_bias = bias(spec.head_bias, "head.conv1.bias", E);
  conv2 = weights.take("head.conv2.weight", {Q, E});
  conv2_bias = bias(spec.head_bias, "head.conv2.bias", Q);
  weights.finish();
}

}  // namespace sharks
