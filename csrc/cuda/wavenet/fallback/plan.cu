// WaveNet's first light on the host: weights folded, packed and uploaded, kernels picked.
#include "core/wavenet/folds.h"
#include "cuda/fallback/stepper.h"
#include "cuda/wavenet/fallback/kernel.h"

namespace sharks::cuda::wavenet::fallback {
namespace {

class WaveNetFirstLight final : public WaveNetPlan {
 public:
  explicit WaveNetFirstLight(const WaveNetSource& source)
      : folded_(source.spec, source.weights, source.table, Packing{source.precision, source.fold}),
        input_table_(folded_.input_table),
        input_bias_(folded_.input_bias),
        skip_bias_(folded_.skip_bias),
        conv1_bias_(folded_.conv1_bias),
        conv2_bias_(folded_.conv2_bias) {
    for (const auto& block : folded_.blocks) {
      biases_.push_back({Array<float>(block.dilated_bias), Array<float>(block.res_bias)});
    }
    source.precision == Precision::kFloat16 ? upload_layers<Half>() : upload_layers<float>();
  }

  const char* name() const override { return kFirstLight; }
  Cost cost() const override { return folded_.cost(); }
  std::unique_ptr<Stepper> stepper(const WaveNetState& state) const override;

  Shape shape() const {
    const WaveNetSpec& spec = folded_.spec;
    return {spec.layers(),
            spec.filter_width,
            spec.residual,
            spec.dilation,
            spec.q_levels,
            folded_.taps,
            folded_.Rp,
            folded_.Dp,
            folded_.Sp,
            folded_.Ep,
            padded(spec.q_levels),
            static_cast<float>(spec.residual_scale)};
  }
  const WaveNetSpec& spec() const { return folded_.spec; }
  Precision precision() const { return folded_.packing.precision; }

  template <typename W>
  Net<W> net() const {
    return {shape(),
            static_cast<const Layer<W>*>(layers_.data()),
            input_table_.data(),
            input_bias_.data(),
            folded_.skips[0].view<W>(),
            folded_.conv1.view<W>(),
            folded_.conv2.view<W>(),
            skip_bias_.data(),
            conv1_bias_.data(),
            conv2_bias_.data()};
  }

 private:
  template <typename W>
  void upload_layers() {
    std::vector<Layer<W>> layers;
    for (size_t i = 0; i < folded_.blocks.size(); ++i)
      layers.push_back({folded_.blocks[i].dilated.view<W>(), folded_.blocks[i].res.view<W>(), biases_[i].dilated.data(),
                        biases_[i].res.data(), folded_.spec.dilations[i]});
    layers_ = uploaded(layers);
  }

  struct Biases {
    Array<float> dilated, res;
  };
  FoldedWaveNet<Packing> folded_;
  std::vector<Biases> biases_;
  Memory layers_;
  Array<float> input_table_, input_bias_, skip_bias_, conv1_bias_, conv2_bias_;
};

template <typename W>
class WaveNetFirstLightStepper final : public FirstLightStepper {
 public:
  WaveNetFirstLightStepper(const WaveNetFirstLight& plan, const WaveNetState& state)
      : FirstLightStepper(state.B, Layout(plan.shape()).total, stages(plan.spec())), plan_(plan), state_(state) {}

  void resume(int64_t, Stream) override {}  // nothing is kept but the state

 protected:
  void play(const Samples& samples, const Taps& taps, Stream stream) override {
    const Net<W> net = plan_.net<W>();
    const Layout at(plan_.shape());
    if (columns() == 1)
      cuda::launch(grid(), FirstLight<W, 1>{net, state_, samples, taps, at, scratch()}, stream);
    else
      cuda::launch(grid(), FirstLight<W, kColumns>{net, state_, samples, taps, at, scratch()}, stream);
  }

 private:
  const WaveNetFirstLight& plan_;
  const WaveNetState state_;
};

std::unique_ptr<Stepper> WaveNetFirstLight::stepper(const WaveNetState& state) const {
  if (precision() == Precision::kFloat16) return std::make_unique<WaveNetFirstLightStepper<Half>>(*this, state);
  return std::make_unique<WaveNetFirstLightStepper<float>>(*this, state);
}

}  // namespace

std::unique_ptr<WaveNetPlan> make_plan(const WaveNetSource& source) {
  return std::make_unique<WaveNetFirstLight>(source);
}

}  // namespace sharks::cuda::wavenet::fallback
