// SampleRNN on the CPU: tiers step once per own frame, the sample level once per sample, all streams of a thread
// together.
#include <algorithm>
#include <cstring>

#include "core/check.h"
#include "core/samplernn/stages.h"
#include "core/samplernn/state.h"
#include "cpu/player.h"
#include "cpu/samplernn/model.h"
#include "cpu/samplernn/net.h"

namespace sharks::cpu {
namespace {

using Cell = SampleRNNSpec::Cell;
using Skip = SampleRNNSpec::Skip;

class SampleRNNStepper final : public Stepper {
 public:
  SampleRNNStepper(const SampleRNN& net, int B, int threads);

  int lookback() const override { return net_.spec.lookback(); }
  void reset(const int32_t* levels) override;
  void get_state(const std::string& name, void* out) const override;
  void set_state(const std::string& name, const void* in) override;
  void state_changed() override;
  void set_condition(const float*, int64_t) override { refuse("SampleRNN takes no global condition; leave it out"); }

 protected:
  void predict(bool want_logits) override;
  void consume(const int32_t* levels) override;
  StageSource stage_source(const std::string& stage) const override;

 private:
  struct TierState {
    std::vector<Floats> h, c;  // per layer [B, Dp]
    Floats frame;              // [B, Fp] the frame as numbers
    Floats x;                  // [B, Dp] the expanded frame
    Floats conditioning;       // [B, ratio, row] for the steps of the tier below
  };

  const int32_t* history(int b, int count) const { return &history_[static_cast<size_t>(b) * reach_ + end_ - count]; }
  void run_tier(int t);
  void run_layer(const SampleRNN::Layer& layer, const float* below, const float* frame, size_t ld_frame,
                 const float* init, size_t ld_init, Floats& h, Floats& c);
  void upsample(int t);
  void set_history(const int32_t* levels);
  Floats* state_array(const std::string& name, int layer);

  const SampleRNN& net_;
  const int reach_;  // places per stream in history_, a few lookbacks, so that it is rarely moved
  int end_ = 0;      // one past the newest level
  std::vector<int32_t> history_;
  std::vector<TierState> tiers_;
  Floats gates_, recurrent_, reset_, stack_out_, sample_, last_hidden_;
};

SampleRNNStepper::SampleRNNStepper(const SampleRNN& net, int B, int threads)
    : Stepper(net.packing.kernels, B, net.spec.q_levels, state_of(net.spec, B), net.widest(), net.heaviest(), threads),
      net_(net),
      reach_(4 * net.spec.lookback() + 64),
      history_(static_cast<size_t>(B) * reach_),
      gates_(static_cast<size_t>(B) * 4 * net.Dp),
      recurrent_(static_cast<size_t>(B) * 4 * net.Dp),
      reset_(static_cast<size_t>(B) * net.Dp),
      stack_out_(static_cast<size_t>(B) * net.Dp),
      sample_(static_cast<size_t>(B) * net.Dp),
      last_hidden_(static_cast<size_t>(B) * net.Dp) {
  const size_t width = static_cast<size_t>(B) * net.Dp;
  for (int t = 0; t < net.spec.tiers(); ++t) {
    TierState tier;
    for (int k = 0; k < net.spec.layers; ++k) {
      tier.h.emplace_back(width);
      tier.c.emplace_back(width);
    }
    tier.frame = Floats(static_cast<size_t>(B) * padded(net.spec.frame_sizes[t]));
    tier.x = Floats(width);
    tier.conditioning = Floats(static_cast<size_t>(B) * net.spec.ratio(t) * net.tiers[t].row);
    tiers_.push_back(std::move(tier));
  }
}

void SampleRNNStepper::reset(const int32_t* levels) {
  set_history(levels);
  const size_t Dp = static_cast<size_t>(net_.Dp);
  for (size_t t = 0; t < tiers_.size(); ++t)
    for (size_t k = 0; k < tiers_[t].h.size(); ++k)
      for (int b = 0; b < B_; ++b) {
        std::copy_n(net_.tiers[t].h0.data() + k * Dp, Dp, tiers_[t].h[k].data() + b * Dp);
        std::copy_n(net_.tiers[t].c0.data() + k * Dp, Dp, tiers_[t].c[k].data() + b * Dp);
      }
  position_ = step_ = 0;
}

void SampleRNNStepper::predict(bool want_logits) {
  const SampleRNNSpec& spec = net_.spec;
  for (int t = spec.tiers() - 1; t >= 0; --t)
    if (position_ % spec.frame_sizes[t] == 0) run_tier(t);
  if (!want_logits) return;
  const int Dp = net_.Dp, F = spec.frame_sizes[0];
  const float* row = tiers_[0].conditioning.data() + position_ % F * Dp;
  // With two hidden layers they take turns between the buffers and end in last_hidden_.
  float* first = net_.hidden.empty() ? last_hidden_.data() : sample_.data();
  for (int b = 0; b < B_; ++b)
    kernels_.look_up(Dp, F, Q_, net_.sample_table.data(), history(b, F), row + static_cast<size_t>(b) * F * Dp,
                     first + b * Dp, spec.relu_before_hidden || net_.first_hidden_folded);
  const float* in = first;
  for (size_t i = 0; i < net_.hidden.size(); ++i) {
    float* to = i + 1 == net_.hidden.size() ? last_hidden_.data() : reset_.data();
    multiply(net_.hidden[i], in, Dp, net_.hidden_bias[i].data(), 0, to, Dp, true);
    in = to;
  }
  multiply(net_.out, in, Dp, net_.out_bias.data(), 0, logits_.data(), ld_logits_, spec.relu_logits);
}

void SampleRNNStepper::run_tier(int t) {
  const SampleRNN::Tier& net = net_.tiers[t];
  TierState& tier = tiers_[t];
  const int F = net_.spec.frame_sizes[t], Fp = padded(F), Dp = net_.Dp;
  for (int b = 0; b < B_; ++b)
    for (int i = 0; i < F; ++i) tier.frame[b * Fp + i] = net_.tier_input[history(b, F)[i]];
  // What this step's input starts from: the row of the tier above, which holds the biases as well, or the biases alone.
  const bool expands = net.expand.rows() > 0, top = t + 1 == net_.spec.tiers();
  const float* init = expands ? net.expand_bias.data() : net.layers[0].bias.data();
  size_t ld_init = 0;
  if (!top) {
    const int ratio = net_.spec.ratio(t + 1), row = net_.tiers[t + 1].row;
    init = tiers_[t + 1].conditioning.data() + position_ / F % ratio * row;
    ld_init = static_cast<size_t>(ratio) * row;
  }
  const float* x = tier.frame.data();
  if (expands) {
    multiply(net.expand, x, Fp, init, ld_init, tier.x.data(), Dp, false);
    x = tier.x.data();
    init = net.layers[0].bias.data();
    ld_init = 0;
  }
  const size_t ld_x = expands ? static_cast<size_t>(Dp) : static_cast<size_t>(Fp);
  for (size_t k = 0; k < net.layers.size(); ++k) {
    run_layer(net.layers[k], k ? tier.h[k - 1].data() : nullptr, x, ld_x, init, ld_init, tier.h[k], tier.c[k]);
    init = k + 1 < net.layers.size() ? net.layers[k + 1].bias.data() : nullptr;
    ld_init = 0;
  }
  upsample(t);
}

void SampleRNNStepper::run_layer(const SampleRNN::Layer& layer, const float* below, const float* frame, size_t ld_frame,
                                 const float* init, size_t ld_init, Floats& h, Floats& c) {
  const Cell cell = net_.spec.cell;
  const int Dp = net_.Dp;
  const size_t ld = static_cast<size_t>(net_.spec.gates()) * Dp;
  const auto add = [&](const Matrix& w, const float* x, size_t ld_x) {
    multiply(w, x, ld_x, init, ld_init, gates_.data(), ld, false);
    init = gates_.data();
    ld_init = ld;
  };
  if (layer.below.rows()) add(layer.below, below, Dp);
  if (layer.frame.rows()) add(layer.frame, frame, ld_frame);
  if (cell == Cell::kLstm) {
    add(layer.recurrent, h.data(), Dp);
    kernels_.lstm(B_, Dp, gates_.data(), ld, c.data(), h.data(), Dp);
  } else if (cell == Cell::kGru) {
    multiply(layer.recurrent, h.data(), Dp, layer.recurrent_bias.data(), 0, recurrent_.data(), ld, false);
    kernels_.gru(B_, Dp, gates_.data(), recurrent_.data(), ld, h.data(), Dp);
  } else {
    add(layer.recurrent, h.data(), Dp);  // the rows r and z alone
    kernels_.gru_reset(B_, Dp, gates_.data(), ld, h.data(), Dp, reset_.data(), Dp);
    float* candidate = gates_.data() + 2 * Dp;
    multiply(layer.candidate, reset_.data(), Dp, candidate, ld, candidate, ld, false);
    kernels_.gru_update(B_, Dp, gates_.data(), ld, h.data(), Dp);
  }
}

// The stack's output from the hidden vectors, then one conditioning row per step of the tier below.
void SampleRNNStepper::upsample(int t) {
  const SampleRNN::Tier& net = net_.tiers[t];
  TierState& tier = tiers_[t];
  const int Dp = net_.Dp;
  const float* out = tier.h.back().data();
  if (net_.spec.skip != Skip::kNone) {
    for (size_t k = 0; k < net.layers.size(); ++k)
      multiply(net.layers[k].skip, tier.h[k].data(), Dp, k ? stack_out_.data() : net.skip_bias.data(), k ? Dp : 0,
               stack_out_.data(), Dp, false);
    out = stack_out_.data();
  }
  multiply(net.upsample, out, Dp, net.upsample_bias.data(), 0, tier.conditioning.data(),
           static_cast<size_t>(net_.spec.ratio(t)) * net.row, false);
}

void SampleRNNStepper::consume(const int32_t* levels) {
  if (end_ == reach_) {  // out of room: move the last lookback to the front
    const int lookback = net_.spec.lookback();
    for (int b = 0; b < B_; ++b)
      std::copy_n(history(b, lookback), lookback, &history_[static_cast<size_t>(b) * reach_]);
    end_ = lookback;
  }
  for (int b = 0; b < B_; ++b) history_[static_cast<size_t>(b) * reach_ + end_] = levels[b];
  ++end_;
  ++position_;
}

StageSource SampleRNNStepper::stage_source(const std::string& name) const {
  const size_t Dp = static_cast<size_t>(net_.Dp);
  const Stage stage = find(stages(net_.spec), name);
  if (stage.kind == SampleRNNStage::kHidden) return {last_hidden_.data(), Dp, stage.width, 1};
  if (stage.kind == SampleRNNStage::kLogits) return {logits_.data(), ld_logits_, stage.width, 1};
  const TierState& tier = tiers_[stage.index];
  return {tier.h[stage.layer].data(), Dp, stage.width, stage.period};
}

void SampleRNNStepper::set_history(const int32_t* levels) {
  const int lookback = net_.spec.lookback();
  for (int b = 0; b < B_; ++b) std::copy_n(levels + b * lookback, lookback, &history_[static_cast<size_t>(b) * reach_]);
  end_ = lookback;
}

Floats* SampleRNNStepper::state_array(const std::string& name, int layer) {
  for (size_t t = 0; t < tiers_.size(); ++t) {
    if (name == "tiers." + std::to_string(t) + ".h") return &tiers_[t].h[layer];
    if (name == "tiers." + std::to_string(t) + ".c") return &tiers_[t].c[layer];
  }
  refuse("state '", name, "' is unknown in this SampleRNN");
}

void SampleRNNStepper::get_state(const std::string& name, void* out) const {
  if (get_counter(name, out)) return;
  const int L = net_.spec.layers, D = net_.spec.dim, lookback = net_.spec.lookback();
  if (name == "levels") {
    for (int b = 0; b < B_; ++b) std::copy_n(history(b, lookback), lookback, static_cast<int32_t*>(out) + b * lookback);
    return;
  }
  for (int k = 0; k < L; ++k) {
    const Floats& from = *const_cast<SampleRNNStepper*>(this)->state_array(name, k);
    for (int b = 0; b < B_; ++b)
      std::copy_n(from.data() + static_cast<size_t>(b) * net_.Dp, D, static_cast<float*>(out) + (b * L + k) * D);
  }
}

void SampleRNNStepper::set_state(const std::string& name, const void* in) {
  if (set_counter(name, in)) return;
  if (name == "levels") return set_history(static_cast<const int32_t*>(in));
  const int L = net_.spec.layers, D = net_.spec.dim;
  for (int k = 0; k < L; ++k) {
    Floats& to = *state_array(name, k);
    for (int b = 0; b < B_; ++b)
      std::copy_n(static_cast<const float*>(in) + (b * L + k) * D, D, to.data() + static_cast<size_t>(b) * net_.Dp);
  }
}

// In the middle of a frame the conditioning is in use; it follows from the hidden vectors, by the same products.
void SampleRNNStepper::state_changed() {
  for (int t = net_.spec.tiers() - 1; t >= 0; --t)
    if (position_ % net_.spec.frame_sizes[t]) upsample(t);
}

class SampleRNNModel final : public Model {
 public:
  SampleRNNModel(const SampleRNNSpec& spec, const SampleRNNWeights& weights, const float* tier_input,
                 const Kernels& kernels, Type type)
      : net_(spec, weights, tier_input, Packing{kernels, type}) {}
  const char* isa() const override { return net_.packing.kernels.isa; }
  int q_levels() const override { return net_.spec.q_levels; }
  Cost cost() const override { return net_.cost(); }
  std::unique_ptr<Player> player(int streams, int threads) const override {
    return split_streams(streams, threads,
                         [&](int B, int team) { return std::make_unique<SampleRNNStepper>(net_, B, team); });
  }

 private:
  SampleRNN net_;
};

}  // namespace

std::unique_ptr<Model> make_model(const SampleRNNSpec& spec, Weights& weights, const float* tier_input, const char* isa,
                                  Type type) {
  return std::make_unique<SampleRNNModel>(spec, SampleRNNWeights(spec, weights), tier_input, kernels(isa), type);
}

}  // namespace sharks::cpu
