// WaveNet on the GPU, as the host sees it: the state in device memory, and the model that chooses a plan.
#include "cuda/player/player.h"

#include <algorithm>
#include <map>

#include "core/check.h"
#include "core/wavenet/stages.h"
#include "core/wavenet/state.h"
#include "cuda/player/model.h"
#include "cuda/products/narrowed.h"
#include "cuda/wavenet/model.h"
#include "cuda/wavenet/plans.h"

namespace sharks::cuda {
namespace wavenet {
namespace {

using WaveNetPlans = DeviceModel<WaveNetState, WaveNetSource>;

// Global conditioning is one product per player: on the host, in double precision.
using Conditioning = std::vector<std::vector<float>>;  // [L] of [2 D, G]

class WaveNetPlayer final : public DevicePlayer {
 public:
  WaveNetPlayer(const WaveNetPlans& model, const Conditioning& conditioning, int B);

  int lookback() const override { return 1; }
  void reset(const int32_t* levels) override;
  void get_state(const std::string& name, void* out) const override;
  void set_state(const std::string& name, const void* in) override;
  void set_condition(const float* vectors, int64_t width) override;

 protected:
  void upload_state() override;
  std::unique_ptr<Stepper> last_resort() const override { return model_.last_resort().stepper(state()); }

 private:
  WaveNetState state() const {
    return {B_, recent_.data(), rings_.data(), device_starts_.data(),
            conditioning_.empty() ? nullptr : condition_.data()};
  }
  int ring_of(const std::string& name) const;

  const WaveNetPlans& model_;
  const WaveNetSpec& spec_;
  const Conditioning& conditioning_;
  const int taps_, Rp_;
  std::vector<int64_t> starts_;  // of the rings, in floats; one more for the end
  Array<int64_t> device_starts_;
  Array<int32_t> recent_;
  Array<float> rings_, condition_;
  std::vector<int32_t> set_recent_;              // what set_state brought: [B, taps]
  std::map<int, std::vector<float>> set_rings_;  // layer -> [B, length, R], oldest first
};

WaveNetPlayer::WaveNetPlayer(const WaveNetPlans& model, const Conditioning& conditioning, int B)
    : DevicePlayer(B, model.q_levels(), stages(model.source().spec), state_of(model.source().spec, B)),
      model_(model),
      spec_(model.source().spec),
      conditioning_(conditioning),
      taps_(std::max(spec_.input_filter_width, 1)),
      Rp_(padded(spec_.residual)),
      starts_(1, 0),
      recent_(static_cast<size_t>(B) * taps_),
      condition_(static_cast<size_t>(B) * conditioning.size() * 2 * spec_.dilation),
      set_recent_(static_cast<size_t>(B) * taps_, -1) {
  for (int i = 0; i < spec_.layers(); ++i) starts_.push_back(starts_.back() + B * spec_.ring_length(i) * Rp_);
  device_starts_ = Array<int64_t>(starts_);
  rings_ = Array<float>(static_cast<size_t>(starts_.back()));
  steppers_.push_back(model.chosen().stepper(state()));
}

void WaveNetPlayer::reset(const int32_t* levels) {
  std::vector<int32_t> recent(recent_.size(), -1);
  for (int b = 0; b < B_; ++b) recent[static_cast<size_t>((b + 1) * taps_ - 1)] = levels[b];
  recent_.upload(recent.data(), stream_);
  rings_.zero(stream_);
  position_ = step_ = 0;
  state_written();
}

int WaveNetPlayer::ring_of(const std::string& name) const {
  for (int i = 0; i < spec_.layers(); ++i)
    if (name == "rings." + std::to_string(i)) return i;
  refuse("state '", name, "' is unknown in this WaveNet");
}

void WaveNetPlayer::get_state(const std::string& name, void* out) const {
  settle();
  if (get_counter(name, out)) return;
  if (name == "levels" || name == "input.levels") {
    std::vector<int32_t> recent(recent_.size());
    recent_.download(recent.data(), stream_);
    const int from = name == "levels" ? taps_ - 1 : 0, count = name == "levels" ? 1 : taps_ - 1;
    for (int b = 0; b < B_; ++b)
      std::copy_n(recent.data() + b * taps_ + from, count, static_cast<int32_t*>(out) + b * count);
    return;
  }
  const int i = ring_of(name);
  const int64_t length = spec_.ring_length(i), R = spec_.residual;
  std::vector<float> ring(static_cast<size_t>(B_ * length * Rp_));
  copy(ring.data(), rings_.data() + starts_[i], ring.size() * sizeof(float), stream_);
  for (int64_t row = 0; row < B_ * length; ++row)  // row t mod length holds position t: the oldest is the current one's
    std::copy_n(ring.data() + (row / length * length + (position_ + row) % length) * Rp_, R,
                static_cast<float*>(out) + row * R);
}

void WaveNetPlayer::set_state(const std::string& name, const void* in) {
  if (set_counter(name, in)) return;
  if (name == "levels" || name == "input.levels") {
    const int to = name == "levels" ? taps_ - 1 : 0, count = name == "levels" ? 1 : taps_ - 1;
    for (int b = 0; b < B_; ++b)
      std::copy_n(static_cast<const int32_t*>(in) + b * count, count, set_recent_.data() + b * taps_ + to);
    return;
  }
  const int i = ring_of(name);
  const float* rows = static_cast<const float*>(in);
  set_rings_[i].assign(rows, rows + B_ * spec_.ring_length(i) * spec_.residual);
}

void WaveNetPlayer::upload_state() {
  recent_.upload(set_recent_.data(), stream_);
  for (const auto& [i, rows] : set_rings_) {
    const int64_t length = spec_.ring_length(i), R = spec_.residual;
    std::vector<float> ring(static_cast<size_t>(B_ * length * Rp_));
    for (int64_t row = 0; row < B_ * length; ++row)
      std::copy_n(rows.data() + row * R, R, ring.data() + (row / length * length + (position_ + row) % length) * Rp_);
    copy(rings_.data() + starts_[i], ring.data(), ring.size() * sizeof(float), stream_);
  }
  set_rings_.clear();
}

void WaveNetPlayer::set_condition(const float* vectors, int64_t width) {
  const int G = spec_.global_channels, rows = 2 * spec_.dilation;
  SHARKS_CHECK(G > 0 && width == G, "condition has ", width, " channels; this model wants ", G);
  std::vector<float> sums;
  for (int b = 0; b < B_; ++b)
    for (const std::vector<float>& weights : conditioning_)
      for (int row = 0; row < rows; ++row) {
        double sum = 0;
        for (int g = 0; g < G; ++g)
          sum += static_cast<double>(weights[static_cast<size_t>(row * G + g)]) * vectors[b * G + g];
        sums.push_back(static_cast<float>(sum));
      }
  condition_.upload(sums.data(), stream_);
  state_written();
}

class WaveNetModel final : public WaveNetPlans {
 public:
  explicit WaveNetModel(WaveNetSource from) : DeviceModel(std::move(from), {pipeline::make_plan}, fallback::make_plan) {
    const size_t size = static_cast<size_t>(2 * source().spec.dilation * source().spec.global_channels);
    for (const WaveNetWeights::Block& block : source().weights.blocks)
      if (block.gcond) conditioning_.emplace_back(block.gcond, block.gcond + size);
  }
  std::unique_ptr<Player> player(int streams, int) const override {
    return std::make_unique<WaveNetPlayer>(*this, conditioning_, streams);
  }

 private:
  Conditioning conditioning_;
};

}  // namespace
}  // namespace wavenet

std::unique_ptr<Model> make_model(const WaveNetSpec& spec, Weights& weights, const float* decode, Precision precision,
                                  const std::string& plan, Fold fold) {
  const WaveNetWeights bound(spec, weights);
  return std::make_unique<wavenet::WaveNetModel>(wavenet::WaveNetSource{spec, bound, decode, precision, plan, fold});
}

}  // namespace sharks::cuda
