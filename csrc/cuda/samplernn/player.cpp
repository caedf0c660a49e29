// SampleRNN on the GPU, as the host sees it: the state in device memory, and the model that chooses a plan.
#include "cuda/player/player.h"

#include <algorithm>

#include "core/check.h"
#include "core/samplernn/stages.h"
#include "core/samplernn/state.h"
#include "cuda/player/model.h"
#include "cuda/products/narrowed.h"
#include "cuda/samplernn/model.h"
#include "cuda/samplernn/plans.h"

namespace sharks::cuda {
namespace samplernn {
namespace {

using SampleRNNPlans = DeviceModel<SampleRNNState, SampleRNNSource>;

// The state from which streams start: [tiers, layers, Dp], zeros where none was learned; c for the LSTM.
struct Start {
  std::vector<float> h, c;
};

class SampleRNNPlayer final : public DevicePlayer {
 public:
  SampleRNNPlayer(const SampleRNNPlans& model, const Start& start, int B);

  int lookback() const override { return spec_.lookback(); }
  void reset(const int32_t* levels) override;
  void get_state(const std::string& name, void* out) const override;
  void set_state(const std::string& name, const void* in) override;
  void set_condition(const float*, int64_t) override { refuse("SampleRNN takes no global condition; leave it out"); }

 protected:
  void upload_state() override;
  std::unique_ptr<Stepper> last_resort() const override { return model_.last_resort().stepper(state()); }

 private:
  SampleRNNState state() const { return {B_, history_.data(), h_.data(), start_.c.empty() ? nullptr : c_.data()}; }

  // The vectors that a name means, and where its tier starts in them.
  struct Vectors {
    const Array<float>& device;
    std::vector<float>& host;
    size_t start;
  };
  Vectors vectors_of(const std::string& name) const;
  // Where the i-th level of [B, lookback], oldest first, lies in the history: slot t mod lookback holds position t, so
  // that the oldest lies in the current position's.
  size_t slot(size_t i) const {
    const size_t lookback = static_cast<size_t>(spec_.lookback());
    return i / lookback * lookback + (static_cast<size_t>(position_) + i) % lookback;
  }
  size_t tier_size() const { return static_cast<size_t>(B_) * spec_.layers * Dp_; }

  const SampleRNNPlans& model_;
  const SampleRNNSpec& spec_;
  const Start& start_;
  const int Dp_;
  Array<int32_t> history_;
  Array<float> h_, c_;
  mutable std::vector<float> host_h_, host_c_;  // what set_state brought, laid out as on the device
  std::vector<int32_t> host_levels_;            // [B, lookback], oldest first
};

SampleRNNPlayer::SampleRNNPlayer(const SampleRNNPlans& model, const Start& start, int B)
    : DevicePlayer(B, model.q_levels(), stages(model.source().spec), state_of(model.source().spec, B)),
      model_(model),
      spec_(model.source().spec),
      start_(start),
      Dp_(padded(spec_.dim)),
      history_(static_cast<size_t>(B) * spec_.lookback()),
      h_(B * start.h.size()),
      c_(B * start.c.size()),
      host_h_(h_.size()),
      host_c_(c_.size()),
      host_levels_(history_.size()) {
  steppers_.push_back(model.chosen().stepper(state()));
}

void SampleRNNPlayer::reset(const int32_t* levels) {
  position_ = step_ = 0;
  std::copy_n(levels, host_levels_.size(), host_levels_.begin());
  const size_t each = static_cast<size_t>(spec_.layers) * Dp_;
  for (int t = 0; t < spec_.tiers(); ++t)
    for (int b = 0; b < B_; ++b) {
      const size_t to = (static_cast<size_t>(t) * B_ + b) * each;
      std::copy_n(start_.h.begin() + t * each, each, host_h_.begin() + to);
      if (!start_.c.empty()) std::copy_n(start_.c.begin() + t * each, each, host_c_.begin() + to);
    }
  state_changed();
}

SampleRNNPlayer::Vectors SampleRNNPlayer::vectors_of(const std::string& name) const {
  for (int t = 0; t < spec_.tiers(); ++t) {
    const std::string tier = "tiers." + std::to_string(t);
    if (name == tier + ".h") return {h_, host_h_, t * tier_size()};
    if (name == tier + ".c" && !start_.c.empty()) return {c_, host_c_, t * tier_size()};
  }
  refuse("state '", name, "' is unknown in this SampleRNN");
}

void SampleRNNPlayer::get_state(const std::string& name, void* out) const {
  settle();
  if (get_counter(name, out)) return;
  if (name == "levels") {
    std::vector<int32_t> history(history_.size());
    history_.download(history.data(), stream_);
    for (size_t i = 0; i < history.size(); ++i) static_cast<int32_t*>(out)[i] = history[slot(i)];
    return;
  }
  const Vectors from = vectors_of(name);
  std::vector<float> rows(tier_size());
  copy(rows.data(), from.device.data() + from.start, rows.size() * sizeof(float), stream_);
  for (int row = 0; row < B_ * spec_.layers; ++row)
    std::copy_n(rows.data() + row * Dp_, spec_.dim, static_cast<float*>(out) + row * spec_.dim);
}

void SampleRNNPlayer::set_state(const std::string& name, const void* in) {
  if (set_counter(name, in)) return;
  if (name == "levels") {
    std::copy_n(static_cast<const int32_t*>(in), host_levels_.size(), host_levels_.begin());
    return;
  }
  const Vectors to = vectors_of(name);
  for (int row = 0; row < B_ * spec_.layers; ++row)
    std::copy_n(static_cast<const float*>(in) + row * spec_.dim, spec_.dim, to.host.data() + to.start + row * Dp_);
}

void SampleRNNPlayer::upload_state() {
  std::vector<int32_t> history(host_levels_.size());
  for (size_t i = 0; i < history.size(); ++i) history[slot(i)] = host_levels_[i];
  history_.upload(history.data(), stream_);
  h_.upload(host_h_.data(), stream_);
  c_.upload(host_c_.data(), stream_);
}

class SampleRNNModel final : public SampleRNNPlans {
 public:
  explicit SampleRNNModel(SampleRNNSource from)
      : DeviceModel(std::move(from), {throughput::make_plan, persistent::make_plan}, fallback::make_plan) {
    const SampleRNNSpec& spec = source().spec;
    const int Dp = padded(spec.dim), D = spec.dim;
    const size_t size = static_cast<size_t>(spec.tiers()) * spec.layers * Dp;
    start_.h.resize(size);
    if (spec.cell == SampleRNNSpec::Cell::kLstm) start_.c.resize(size);
    for (int t = 0; t < spec.tiers(); ++t) {
      const SampleRNNWeights::Tier& tier = source().weights.tiers[static_cast<size_t>(t)];
      for (int k = 0; k < spec.layers; ++k) {
        const size_t to = static_cast<size_t>(t * spec.layers + k) * Dp;
        if (tier.h0) std::copy_n(tier.h0 + k * D, D, start_.h.begin() + to);
        if (tier.c0) std::copy_n(tier.c0 + k * D, D, start_.c.begin() + to);
      }
    }
  }
  std::unique_ptr<Player> player(int streams, int) const override {
    return std::make_unique<SampleRNNPlayer>(*this, start_, streams);
  }

 private:
  Start start_;
};

}  // namespace
}  // namespace samplernn

std::unique_ptr<Model> make_model(const SampleRNNSpec& spec, Weights& weights, const float* tier_input,
                                  Precision precision, const std::string& plan, Fold fold) {
  const SampleRNNWeights bound(spec, weights);
  return std::make_unique<samplernn::SampleRNNModel>(
      samplernn::SampleRNNSource{spec, bound, tier_input, precision, plan, fold});
}

}  // namespace sharks::cuda
