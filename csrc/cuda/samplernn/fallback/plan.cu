// SampleRNN's first light on the host: weights folded, packed and uploaded, kernels picked.
#include <algorithm>

#include "core/samplernn/folds.h"
#include "cuda/fallback/stepper.h"
#include "cuda/samplernn/fallback/kernel.h"

namespace sharks::cuda::samplernn::fallback {
namespace {

using Folded = FoldedSampleRNN<Packing>;

class SampleRNNFirstLight final : public SampleRNNPlan {
 public:
  explicit SampleRNNFirstLight(const SampleRNNSource& source)
      : folded_(source.spec, source.weights, source.table, Packing{source.precision, source.fold}),
        tier_input_(folded_.tier_input),
        sample_table_(folded_.sample_table),
        out_bias_(folded_.out_bias) {
    source.precision == Precision::kFloat16 ? upload_hidden<Half>() : upload_hidden<float>();
    source.precision == Precision::kFloat16 ? upload_layers<Half>() : upload_layers<float>();
  }

  const char* name() const override { return kFirstLight; }
  Cost cost() const override { return folded_.cost(); }
  std::unique_ptr<Stepper> stepper(const SampleRNNState& state) const override;

  const SampleRNNSpec& spec() const { return folded_.spec; }
  Precision precision() const { return folded_.packing.precision; }

  Shape shape() const {
    const SampleRNNSpec& s = spec();
    return {s.tiers(),
            s.layers,
            s.gates(),
            static_cast<int>(folded_.hidden.size()),
            s.q_levels,
            s.lookback(),
            s.frame_sizes[0],
            s.lookback(),
            folded_.Dp,
            padded(s.q_levels),
            s.cell,
            s.skip != SampleRNNSpec::Skip::kNone,
            s.relu_before_hidden || folded_.first_hidden_folded,
            s.relu_logits};
  }

  // The tiers as a kernel for B streams sees them, and in `total` how many floats of conditioning they want.
  template <typename W>
  std::vector<Tier<W>> tiers(int B, int64_t& total) const {
    std::vector<Tier<W>> all;
    total = 0;
    for (size_t t = 0; t < folded_.tiers.size(); ++t) {
      const Folded::Tier& from = folded_.tiers[t];
      const int ratio = spec().ratio(static_cast<int>(t));
      all.push_back({spec().frame_sizes[t], ratio, from.row, total, from.expand.rows() > 0, from.expand.view<W>(),
                     from.upsample.view<W>(), tier_vectors_[t].expand_bias.data(),
                     tier_vectors_[t].upsample_bias.data(), tier_vectors_[t].skip_bias.data()});
      total += static_cast<int64_t>(B) * ratio * from.row;
    }
    return all;
  }

  template <typename W>
  Net<W> net(const Tier<W>* tiers) const {
    return {shape(),
            tiers,
            static_cast<const Layer<W>*>(layers_.data()),
            static_cast<const Hidden<W>*>(hidden_.data()),
            tier_input_.data(),
            sample_table_.data(),
            folded_.out.view<W>(),
            out_bias_.data()};
  }

 private:
  template <typename W>
  void upload_hidden() {
    std::vector<Hidden<W>> all;
    for (size_t i = 0; i < folded_.hidden.size(); ++i) {
      hidden_biases_.push_back(Array<float>(folded_.hidden_bias[i]));
      all.push_back({folded_.hidden[i].view<W>(), hidden_biases_.back().data()});
    }
    hidden_ = uploaded(all);
  }

  template <typename W>
  void upload_layers() {
    std::vector<Layer<W>> all;
    for (const Folded::Tier& tier : folded_.tiers) {
      for (const Folded::Layer& layer : tier.layers) {
        layer_vectors_.push_back({Array<float>(layer.bias), Array<float>(layer.recurrent_bias)});
        all.push_back({layer.below.view<W>(), layer.frame.view<W>(), layer.recurrent.view<W>(),
                       layer.candidate.view<W>(), layer.skip.view<W>(), layer_vectors_.back().bias.data(),
                       layer_vectors_.back().recurrent_bias.data()});
      }
      tier_vectors_.push_back(
          {Array<float>(tier.expand_bias), Array<float>(tier.upsample_bias), Array<float>(tier.skip_bias)});
    }
    layers_ = uploaded(all);
  }

  struct LayerVectors {
    Array<float> bias, recurrent_bias;
  };
  struct TierVectors {
    Array<float> expand_bias, upsample_bias, skip_bias;
  };
  Folded folded_;
  std::vector<LayerVectors> layer_vectors_;
  std::vector<TierVectors> tier_vectors_;
  std::vector<Array<float>> hidden_biases_;
  Memory hidden_, layers_;
  Array<float> tier_input_, sample_table_, out_bias_;
};

template <typename W>
class SampleRNNFirstLightStepper final : public FirstLightStepper {
 public:
  SampleRNNFirstLightStepper(const SampleRNNFirstLight& plan, const SampleRNNState& state)
      : FirstLightStepper(state.B, Layout(plan.shape()).total, stages(plan.spec())), plan_(plan), state_(state) {
    int64_t total = 0;
    tiers_ = Array<Tier<W>>(plan.tiers<W>(state.B, total));
    conditioning_ = Array<float>(static_cast<size_t>(total));
  }

  void resume(int64_t position, Stream stream) override {
    Samples samples{};
    samples.B = state_.B;
    samples.position = position;
    run(samples, true, Taps{nullptr, 0}, stream);
  }

 protected:
  void play(const Samples& samples, const Taps& taps, Stream stream) override { run(samples, false, taps, stream); }

 private:
  void run(const Samples& samples, bool rebuild, const Taps& taps, Stream stream) {
    const Net<W> net = plan_.net<W>(tiers_.data());
    const Layout at(plan_.shape());
    float* conditioning = conditioning_.data();
    if (columns() == 1)
      cuda::launch(grid(), FirstLight<W, 1>{net, state_, conditioning, samples, rebuild, taps, at, scratch()}, stream);
    else
      cuda::launch(grid(), FirstLight<W, kColumns>{net, state_, conditioning, samples, rebuild, taps, at, scratch()},
                   stream);
  }

  const SampleRNNFirstLight& plan_;
  const SampleRNNState state_;
  Array<Tier<W>> tiers_;
  Array<float> conditioning_;
};

std::unique_ptr<Stepper> SampleRNNFirstLight::stepper(const SampleRNNState& state) const {
  if (precision() == Precision::kFloat16) return std::make_unique<SampleRNNFirstLightStepper<Half>>(*this, state);
  return std::make_unique<SampleRNNFirstLightStepper<float>>(*this, state);
}

}  // namespace

std::unique_ptr<SampleRNNPlan> make_plan(const SampleRNNSource& source) {
  return std::make_unique<SampleRNNFirstLight>(source);
}

}  // namespace sharks::cuda::samplernn::fallback
