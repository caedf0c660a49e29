// Folds, in double precision: the input convolution, whatever it reads, becomes a table of rows to add, one per tap and
// level; the skip products of a run of layers become one product over their gated outputs, laid side by side.
#include <algorithm>

#include "cpu/wavenet.h"

namespace sharks::cpu {

namespace {

// Columns of a run of skips: few enough that another thread is not far behind when the last layer is done, enough that a
// product is worth its call.
constexpr int kRunColumns = 256;

}  // namespace

WaveNet::WaveNet(const WaveNetSpec& spec, const WaveNetWeights& weights, const float* decode, const Kernels& kernels,
                 Type type)
    : spec(spec),
      kernels(kernels),
      type(type),
      Rp(padded(spec.residual)),
      Dp(padded(spec.dilation)),
      Sp(padded(spec.skip)),
      taps(std::max(spec.input_filter_width, 1)),
      run_layers(std::max(1, kRunColumns / Dp)) {
  const int R = spec.residual, D = spec.dilation, K = spec.filter_width, G = spec.global_channels;
  for (const WaveNetWeights::Block& from : weights.blocks) {
    Block block;
    Dense dilated(2 * Dp, K * Rp);
    for (int half = 0; half < 2; ++half)
      for (int k = 0; k < K; ++k) dilated.add(half * Dp, k * Rp, from.dilated + half * D * R * K + k, D, R, R * K, K);
    block.dilated = Matrix(dilated, type);
    block.dilated_bias = Floats(static_cast<size_t>(2 * Dp));
    for (int half = 0; half < 2 && from.dilated_bias; ++half)
      std::copy_n(from.dilated_bias + half * D, D, block.dilated_bias.data() + half * Dp);
    if (from.gcond)
      block.gcond = Matrix(Dense(2 * Dp, G).add(0, 0, from.gcond, D, G, G).add(Dp, 0, from.gcond + D * G, D, G, G), type);
    if (from.res) {
      block.res = Matrix(Dense(Rp, Dp).add(0, 0, from.res, R, D, D), type);
      block.res_bias = padded_copy(from.res_bias, R);
    }
    blocks.push_back(std::move(block));
  }
  fold_input(weights, decode);
  fold_skips(weights);
  const int E = spec.head, Q = spec.q_levels;
  conv1 = Matrix(Dense(E, Sp).add(0, 0, weights.conv1, E, spec.skip, spec.skip), type);
  conv2 = Matrix(Dense(Q, padded(E)).add(0, 0, weights.conv2, Q, E, E), type);
  conv1_bias = padded_copy(weights.conv1_bias, E);
  conv2_bias = padded_copy(weights.conv2_bias, Q);
}

int WaveNet::widest() const {
  return std::max({skips[0].cols(), conv1.cols(), conv2.cols(), blocks[0].dilated.cols(), blocks[0].gcond.cols()});
}

size_t WaveNet::heaviest() const {
  return std::max({packed_bytes(skips[0]), packed_bytes(conv1), packed_bytes(conv2), packed_bytes(blocks[0].dilated)});
}

Cost WaveNet::cost() const {
  Cost cost;
  for (size_t i = 0; i < blocks.size(); ++i) {
    add(cost, blocks[i].dilated);
    if (i + 1 < blocks.size()) add(cost, blocks[i].res);  // the last layer's is never computed
  }
  for (const Matrix& run : skips) add(cost, run);
  for (const Matrix* matrix : {&conv1, &conv2}) add(cost, *matrix);
  return cost;
}

// What each tap of the input adds for each level: a one-hot, embedded or scalar sample times its column(s).
void WaveNet::fold_input(const WaveNetWeights& weights, const float* decode) {
  using Input = WaveNetSpec::Input;
  const int R = spec.residual, Q = spec.q_levels, E = spec.embed_dim;
  input_table = Floats(static_cast<size_t>(taps) * Q * Rp);
  input_bias = padded_copy(weights.input_bias, R);
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
          if (!weights.input_conv) sum = row[r];
          else
            for (int e = 0; e < E; ++e) sum += conv(E, e) * row[e];
        }
        input_table[(static_cast<size_t>(p) * Q + level) * Rp + r] = static_cast<float>(sum);
      }
}

// The skip products of each run of layers side by side, the scale inside; the biases of all summed.
void WaveNet::fold_skips(const WaveNetWeights& weights) {
  const int S = spec.skip, D = spec.dilation, L = spec.layers();
  std::vector<double> bias(static_cast<size_t>(S));
  for (int first = 0; first < L; first += run_layers) {
    const int last = std::min(L, first + run_layers);
    Dense run(S, (last - first) * Dp);
    for (int i = first; i < last; ++i) {
      const WaveNetWeights::Block& block = weights.blocks[static_cast<size_t>(i)];
      run.add(0, (i - first) * Dp, block.skip, S, D, D);
      for (int s = 0; s < S && block.skip_bias; ++s) bias[static_cast<size_t>(s)] += block.skip_bias[s];
    }
    run.scale(spec.skip_scale);
    skips.emplace_back(run, type);
  }
  skip_bias = Floats(static_cast<size_t>(Sp));
  for (int s = 0; s < S; ++s) skip_bias[s] = static_cast<float>(bias[static_cast<size_t>(s)] * spec.skip_scale);
}

}  // namespace sharks::cpu
